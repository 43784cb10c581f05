//! Transactions that record events beside the change.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::{Arg, Backend, Columns, Scope, Statement, Transaction, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{EventId, Notice, OrgId};
use crate::ports::store::StoreError;

/// A write transaction; dropping it takes everything back.
pub(super) struct Write<B: Backend> {
    tx: B::Tx,
    signal: Signal,
    recorded: bool,
}

/// An event as it is stored.
pub(super) fn body(event: &AuditEvent) -> Result<String, StoreError> {
    serde_json::to_string(event).map_err(StoreError::unavailable)
}

/// Tells those who wait that events may have been committed.
pub(super) struct Signal {
    to: Arc<watch::Sender<u64>>,
    due: bool,
}

impl Signal {
    /// It is given when this goes, however that comes about.
    pub(super) const fn due(to: Arc<watch::Sender<u64>>) -> Self {
        Self { to, due: true }
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        if self.due {
            self.to
                .send_modify(|number| *number = number.wrapping_add(1));
        }
    }
}

impl<B: Backend> Write<B> {
    pub(super) const fn new(tx: B::Tx, signal: Arc<watch::Sender<u64>>) -> Self {
        Self {
            tx,
            signal: Signal {
                to: signal,
                due: false,
            },
            recorded: false,
        }
    }

    /// Binds what follows to another scope.
    pub(super) async fn rescope(&mut self, scope: Scope) -> Result<(), StoreError> {
        self.tx.rescope(&scope).await
    }

    /// Runs a statement; returns how many rows it changed.
    pub(super) async fn execute(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<u64, StoreError> {
        self.tx.execute(statement, args).await
    }

    /// Locks rows until the end, where the database has many writers; SQLite has one.
    pub(super) async fn lock(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<(), StoreError> {
        if !B::text(statement).is_empty() {
            self.tx.fetch(statement, args).await?;
        }
        Ok(())
    }

    /// The rows of a statement.
    pub(super) async fn fetch_all(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Vec<B::Row>, StoreError> {
        self.tx.fetch(statement, args).await
    }

    /// The row of a statement that has one or none.
    pub(super) async fn fetch_optional(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Option<B::Row>, StoreError> {
        Ok(self.tx.fetch(statement, args).await?.pop())
    }

    pub(super) async fn record(&mut self, events: &[AuditEvent]) -> Result<(), StoreError> {
        for event in events {
            let args = [event.id.into(), event.org.into(), body(event)?.into()];
            self.tx.execute(&sql::INSERT_EVENT, &args).await?;
            if let Some(notice) = Notice::of(event) {
                super::notices::insert(self, &notice).await?;
            }
        }
        self.recorded |= !events.is_empty();
        Ok(())
    }

    /// Commits. A caller that leaves meanwhile does not stop it, so the signal is given on that way too.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let Self {
            tx,
            mut signal,
            recorded,
        } = self;
        signal.due = recorded;
        tx.commit().await
    }
}

/// The methods that both kinds of transactions have.
macro_rules! transactions {
    ($tx:ident) => {
        impl<B: Backend> $tx<B> {
            /// The connection that the transaction is open on.
            pub fn connection(&mut self) -> &mut B::Connection {
                self.write.tx.connection()
            }

            /// Runs a statement; returns how many rows it changed.
            ///
            /// # Errors
            ///
            /// [`StoreError`]; in PostgreSQL the transaction can then only be dropped.
            pub async fn execute(
                &mut self,
                statement: &Statement,
                args: &[Arg<'_>],
            ) -> Result<u64, StoreError> {
                self.write.execute(statement, args).await
            }

            /// Locks rows until the end by a statement that is empty for SQLite, which has one writer.
            ///
            /// # Errors
            ///
            /// As [`execute`](Self::execute).
            pub async fn lock(
                &mut self,
                statement: &Statement,
                args: &[Arg<'_>],
            ) -> Result<(), StoreError> {
                self.write.lock(statement, args).await
            }

            /// The rows of a statement.
            ///
            /// # Errors
            ///
            /// As [`execute`](Self::execute).
            pub async fn fetch_all(
                &mut self,
                statement: &Statement,
                args: &[Arg<'_>],
            ) -> Result<Vec<B::Row>, StoreError> {
                self.write.fetch_all(statement, args).await
            }

            /// The row of a statement that has one or none.
            ///
            /// # Errors
            ///
            /// As [`execute`](Self::execute).
            pub async fn fetch_optional(
                &mut self,
                statement: &Statement,
                args: &[Arg<'_>],
            ) -> Result<Option<B::Row>, StoreError> {
                self.write.fetch_optional(statement, args).await
            }

            /// Makes the change and its events durable.
            ///
            /// # Errors
            ///
            /// [`StoreError::Unavailable`]; the change may or may not be durable.
            pub async fn commit(self) -> Result<(), StoreError> {
                self.write.commit().await
            }
        }
    };
}

transactions!(OrgTx);
transactions!(SystemTx);

/// The event belongs in another log than the transaction's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WrongLog {
    /// The event names another organization, or none.
    #[error("the event belongs in another organization's log")]
    OtherOrg,
    /// The store failed.
    #[error("the event could not be recorded")]
    Store(#[from] StoreError),
}

/// A change of one organization's data and its events, committed together.
///
/// A host's own adapter runs its statements on [`connection`](Self::connection),
/// each bound to `org_id = $1`. Dropping the transaction takes everything back.
pub struct OrgTx<B: Backend> {
    write: Write<B>,
    org: OrgId,
}

impl<B: Backend> fmt::Debug for OrgTx<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrgTx({})", self.org)
    }
}

impl<B: Backend> OrgTx<B> {
    pub(super) const fn new(write: Write<B>, org: OrgId) -> Self {
        Self { write, org }
    }

    /// The organization; the value that `$1` is bound to.
    #[must_use]
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// Records an event of this organization.
    ///
    /// # Errors
    ///
    /// [`WrongLog`]; the transaction is still open.
    pub async fn record(&mut self, event: &AuditEvent) -> Result<(), WrongLog> {
        if event.org != Some(self.org) {
            return Err(WrongLog::OtherOrg);
        }
        Ok(self.write.record(std::slice::from_ref(event)).await?)
    }
}

/// A change across organizations and its events, committed together.
pub struct SystemTx<B: Backend> {
    write: Write<B>,
}

impl<B: Backend> fmt::Debug for SystemTx<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemTx")
    }
}

impl<B: Backend> SystemTx<B> {
    pub(super) const fn new(write: Write<B>) -> Self {
        Self { write }
    }

    /// Records an event, of any organization or none.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the transaction is still open.
    pub async fn record(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        self.write.record(std::slice::from_ref(event)).await
    }

    /// Takes these events out of the outbox; returns those that were there, in the order of their recording.
    ///
    /// They are gone once this transaction commits, so whoever places them in the log does so in it.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn take_outbox(&mut self, events: &[EventId]) -> Result<Vec<AuditEvent>, StoreError> {
        let ids = Arg::ids(events.iter().copied());
        let rows = self.write.fetch_all(&sql::TAKE_EVENTS, &[ids]).await?;
        let mut placed = Vec::with_capacity(rows.len());
        for row in &rows {
            let columns = Columns::of(row, "audit_outbox");
            let read = |body: &str| serde_json::from_str::<AuditEvent>(body).ok();
            placed.push((columns.get::<i64>("place")?, columns.read("body", read)?));
        }
        placed.sort_by_key(|(place, _)| *place);
        Ok(placed.into_iter().map(|(_, event)| event).collect())
    }
}
