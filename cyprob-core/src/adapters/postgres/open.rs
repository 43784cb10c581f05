//! The connections.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{Error, PgConnection};

use super::super::sql::{Arg, Mode, Scope, Statement};
use super::backend::bound;
use super::begin::begin;
use super::options::{OpenError, PostgresOptions};
use super::pool::{Guarded, Lent, Pool};
use crate::ports::store::{BoxError, StoreError};

/// The least time for a look at a start.
const FIRST: Duration = Duration::from_secs(5);

/// What is open of a database.
#[derive(Debug)]
pub struct Opened {
    pool: Pool,
    wait: Duration,
    patience: Duration,
}

/// An operation took longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("the database did not answer in time")]
pub(super) struct TooLate;

/// The server took no connection for as long as was waited.
#[derive(Debug, thiserror::Error)]
#[error("{server} takes no connection; see that the server runs there and is not full")]
struct Refused {
    server: String,
    source: Error,
}

impl Opened {
    /// Connects once, so that a wrong address is found at once, and keeps the rest for later.
    pub(super) async fn new(options: &PostgresOptions) -> Result<Self, OpenError> {
        let most = usize::try_from(options.connections).unwrap_or(usize::MAX);
        let pool = Pool::new(options.connect(), most).map_err(OpenError::unavailable)?;
        let opened = Self {
            pool,
            wait: options.wait,
            patience: options.patience,
        };
        opened.look(async |_| Ok(())).await?;
        Ok(opened)
    }

    /// Looks at something before the work begins.
    pub(super) async fn look<T>(
        &self,
        at: impl AsyncFnOnce(&mut PgConnection) -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        let look = async {
            let lent = self.pool.lend().await.map_err(OpenError::unavailable)?;
            let mut connection = Guarded::new(lent);
            let found = at(connection.get().map_err(OpenError::unavailable)?).await;
            if found.is_ok() {
                drop(connection.keep());
            }
            found
        };
        let done = tokio::time::timeout(self.wait.max(FIRST), look).await;
        done.unwrap_or_else(|_| {
            let refused = self.pool.take_refusal();
            Err(refused.map_or_else(
                || OpenError::unavailable(TooLate),
                |source| {
                    let options = self.pool.options();
                    OpenError::unavailable(Refused {
                        server: format!("{}:{}", options.get_host(), options.get_port()),
                        source,
                    })
                },
            ))
        })
    }

    /// Whether it was closed.
    pub(super) fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }

    /// How a connection is made.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.pool.options()
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// How long a transaction of a scope may take: what answers a request is short.
    pub(super) const fn limit(&self, scope: &Scope) -> Duration {
        match scope.reason() {
            Some(_) => self.patience,
            None => self.wait,
        }
    }

    /// Sends a first message; returns the connection it was answered on, and the rows.
    ///
    /// A connection that died since its last use is closed and another one
    /// taken, so a restart of the server fails no request after it.
    pub(super) async fn first(&self, message: &Message<'_>) -> Result<(Lent, Vec<PgRow>), Error> {
        loop {
            let mut connection = Guarded::new(self.pool.lend().await?);
            match message.send(connection.get()?).await {
                Ok(rows) => return Ok((connection.keep()?, rows)),
                // One that was just made and is lost again is lost for a reason.
                Err(error) if lost(&error) && !connection.is_new() => drop(connection),
                Err(error) => return Err(error),
            }
        }
    }
}

/// What is sent first on a connection, and again on another one if that is lost: it may have
/// been done then, so what changes something does it once or fails.
pub(super) enum Message<'a> {
    /// The beginning of a transaction.
    Begin(Mode, &'a Scope, Duration),
    /// A statement that is a transaction by itself.
    Statement(&'a Statement, &'a [Arg<'a>]),
}

impl Message<'_> {
    async fn send(&self, connection: &mut PgConnection) -> Result<Vec<PgRow>, Error> {
        match self {
            Self::Begin(mode, scope, limit) => {
                let begin = sqlx::raw_sql(begin(*mode, scope, *limit));
                begin.execute(connection).await.map(|_| Vec::new())
            }
            Self::Statement(statement, args) => {
                let args = bound(args).map_err(|error| Error::Encode(error.into()))?;
                let read = sqlx::query_with(statement.postgres(), args);
                read.fetch_all(connection).await
            }
        }
    }
}

/// Whether the connection, and not the statement, was what failed.
fn lost(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Protocol(_) => true,
        // 08: connection; 57P01 to 57P03: shut down, crashed, not yet up.
        Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("08") || code.starts_with("57P")),
        _ => false,
    }
}

/// Waits for a future, at most so long.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.map_err(StoreError::unavailable),
        Err(_) => Err(StoreError::unavailable(BoxError::from(TooLate))),
    }
}
