//! Transactions.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::{Error, PgConnection};
use tokio::time::Instant;

use super::super::sql::{Arg, Scope, Statement, Transaction, sealed};
use super::backend::{Postgres, bound};
use super::begin;
use super::open::TooLate;
use super::pool::{Guarded, Lent};
use crate::ports::store::StoreError;

/// A transaction of PostgreSQL's; dropping it takes everything back.
pub struct PostgresTx {
    connection: Option<Lent>,
    deadline: Instant,
    limit: Duration,
    /// What is on the wire was not answered, or a statement failed: nothing can be committed.
    broken: bool,
    committed: bool,
    /// A host had the connection, and may have set what outlives the transaction.
    touched: bool,
}

/// Takes back whatever a host may have left on a connection, but for the statements that are known on it.
const CLEAN: &str = "CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ALL; UNLISTEN *; \
                     DISCARD TEMP; DISCARD SEQUENCES; SELECT pg_advisory_unlock_all()";
/// How long that, or the way back, may take.
const CLEANING: Duration = Duration::from_secs(5);

impl sealed::Sealed for PostgresTx {}

impl fmt::Debug for PostgresTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresTx")
    }
}

/// A statement failed before, so there is nothing left that could be committed.
#[derive(Debug, thiserror::Error)]
#[error("a statement of the transaction failed")]
struct Broken;

impl PostgresTx {
    pub(super) const fn new(connection: Lent, deadline: Instant, limit: Duration) -> Self {
        Self {
            connection: Some(connection),
            deadline,
            limit,
            broken: false,
            committed: false,
            touched: false,
        }
    }

    /// Runs one thing on the connection, within the transaction's time.
    async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let Some(connection) = self.connection.as_mut().filter(|_| !self.broken) else {
            return Err(StoreError::unavailable(Broken));
        };
        // A caller that leaves in the middle leaves it so.
        self.broken = true;
        let done = tokio::time::timeout_at(self.deadline, work(connection)).await;
        match done {
            Ok(Ok(done)) => {
                self.broken = false;
                Ok(done)
            }
            Ok(Err(error)) => Err(StoreError::unavailable(error)),
            Err(_) => Err(StoreError::unavailable(TooLate)),
        }
    }
}

#[async_trait]
impl Transaction<Postgres> for PostgresTx {
    /// # Panics
    ///
    /// Never: the connection is there until the transaction is gone.
    #[allow(
        clippy::expect_used,
        reason = "the field is emptied by commit and drop alone"
    )]
    fn connection(&mut self) -> &mut PgConnection {
        self.touched = true;
        self.connection
            .as_deref_mut()
            .expect("an open transaction has its connection")
    }

    async fn rescope(&mut self, scope: &Scope) -> Result<(), StoreError> {
        let text = begin::rescope(scope, self.limit);
        self.run(async move |connection| sqlx::raw_sql(text).execute(connection).await.map(drop))
            .await
    }

    async fn execute(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<u64, StoreError> {
        let query = sqlx::query_with(statement.postgres(), bound(args)?);
        let done = self.run(async move |connection| query.execute(connection).await);
        Ok(done.await?.rows_affected())
    }

    async fn fetch(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Vec<PgRow>, StoreError> {
        let query = sqlx::query_with(statement.postgres(), bound(args)?);
        self.run(async move |connection| query.fetch_all(connection).await)
            .await
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        // COMMIT of a transaction that failed answers like success and takes everything back:
        // the statement before it fails then.
        self.run(async move |connection| {
            sqlx::raw_sql("SELECT 1; COMMIT")
                .execute(connection)
                .await
                .map(drop)
        })
        .await?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for PostgresTx {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if self.committed && !self.touched {
            // It goes back as it is.
            return;
        }
        let mut connection = Guarded::new(connection);
        if self.broken {
            return;
        }
        let back = (!self.committed).then_some("ROLLBACK");
        let clean = self.touched.then_some(CLEAN);
        // Off the caller's path; without a runtime the connection is closed.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let back = async move {
                for message in back.into_iter().chain(clean) {
                    sqlx::raw_sql(message).execute(connection.get()?).await?;
                }
                connection.keep()
            };
            runtime.spawn(async { drop(tokio::time::timeout(CLEANING, back).await) });
        }
    }
}
