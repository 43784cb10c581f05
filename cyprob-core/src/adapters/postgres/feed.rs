//! Revocations of other nodes.
//!
//! Every revocation is a row, committed with the change it belongs to; LISTEN
//! only says when to look. A node that looks reads the rows of transactions
//! that were still open, or not begun, when it last looked: such a transaction
//! may commit after one with a higher number, and a reader that went by the
//! numbers of rows would never see its rows. What LISTEN lost while a connection
//! was down is therefore found by the next look, and there is one every second.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgListener, PgPoolOptions};

use super::super::sql::revocations::entry;
use super::super::sql::sql;
use super::super::sql::{Columns, Scope};
use super::open::within;
use super::{Postgres, PostgresStore};
use crate::ports::store::StoreError;
use crate::ports::{Clock, RevocationFeed, RevocationSource};

/// How long a node waits for a notice before it looks by itself.
const LOOK: Duration = Duration::from_secs(1);
/// How long the connection that listens may take to open.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it waits after it could not look.
const RETRY: Duration = Duration::from_millis(250);

/// Tells a node of the revocations of all nodes, and how late it is.
#[derive(Debug)]
pub struct PostgresFeed {
    store: PostgresStore,
    to: Arc<dyn RevocationFeed>,
    clock: Arc<dyn Clock>,
    /// The lowest transaction that was open at the last look.
    mark: Option<u64>,
}

impl PostgresFeed {
    /// A feed from this database to those who check tokens.
    #[must_use]
    pub fn new(store: PostgresStore, to: Arc<dyn RevocationFeed>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            to,
            clock,
            mark: None,
        }
    }

    /// Looks once; returns how many revocations were found.
    ///
    /// The first look finds all that still matter; call it before the first request is served.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the next look finds what this one would have.
    pub async fn look(&mut self) -> Result<usize, StoreError> {
        let at = self.clock.now();
        let mut read = self
            .store
            .reading(Scope::system("the feed of revocations"))
            .await?;
        // One snapshot serves both statements.
        let row = read.fetch_optional(&sql::OLDEST_OPEN, &[]).await?;
        let open = row
            .as_ref()
            .map(|row| Columns::of(row, "revocations").parse::<u64>("open"))
            .transpose()?;
        // Another server, or an older state of this one, counts from elsewhere.
        let mark = self.mark.filter(|mark| open >= Some(*mark)).unwrap_or(0);
        let args = [mark.to_string().into(), at.into()];
        let rows = read.fetch_all(&sql::REVOCATIONS_SINCE, &args).await?;
        let entries = rows
            .iter()
            .map(entry::<Postgres>)
            .collect::<Result<Vec<_>, _>>()?;
        self.to.publish(&entries);
        self.to.caught_up(at);
        self.mark = open;
        Ok(entries.len())
    }

    /// Looks whenever there may be something, for ever.
    ///
    /// While the database is away nothing is told, and those who check tokens
    /// see how old their knowledge is. Dropping the future ends it.
    pub async fn run(mut self) {
        loop {
            let followed = self.follow().await;
            if self.store.opened.is_closed() {
                return;
            }
            if let Err(error) = followed {
                tracing::warn!(error = %error, "the feed of revocations was interrupted");
            }
            // Whatever the new connection leads to: look at everything.
            self.mark = None;
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn follow(&mut self) -> Result<(), StoreError> {
        // A connection of its own, which is never lent.
        let own = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(CONNECT)
            .connect_lazy_with(self.store.opened.options());
        let mut listener = PgListener::connect_with(&own)
            .await
            .map_err(StoreError::unavailable)?;
        // A connection that was lost is an error here, not a silent new one.
        listener.eager_reconnect(false);
        within(CONNECT, listener.listen("cyprob_revocations")).await?;
        loop {
            self.look().await?;
            match tokio::time::timeout(LOOK, listener.try_recv()).await {
                Ok(Ok(Some(_))) | Err(_) => {}
                Ok(Ok(None)) => return Err(StoreError::unavailable(Lost)),
                Ok(Err(error)) => return Err(StoreError::unavailable(error)),
            }
            // Notices that came meanwhile are answered by the same look.
            while listener.next_buffered().is_some() {}
        }
    }
}

#[async_trait]
impl RevocationSource for PostgresStore {
    async fn follow(&self, feed: Arc<dyn RevocationFeed>, clock: Arc<dyn Clock>) {
        PostgresFeed::new(self.clone(), feed, clock).run().await;
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the connection that listens was lost")]
struct Lost;
