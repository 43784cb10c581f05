//! Transactions that record events beside the change.

use std::fmt;
use std::sync::Arc;

use sqlx::{Sqlite, SqliteConnection, Transaction};
use tokio::sync::watch;

use super::open::Opened;
use super::row::Columns;
use super::sql;
use crate::domain::OrgId;
use crate::domain::audit::AuditEvent;
use crate::ports::store::StoreError;

/// A write transaction; dropping it takes everything back.
pub(super) struct Write {
    tx: Transaction<'static, Sqlite>,
    signal: Signal,
    recorded: bool,
    /// Keeps other processes out as long as the transaction is open.
    _opened: Arc<Opened>,
}

/// Tells those who wait that events may have been committed.
struct Signal {
    to: Arc<watch::Sender<u64>>,
    due: bool,
}

impl Drop for Signal {
    fn drop(&mut self) {
        if self.due {
            self.to
                .send_modify(|number| *number = number.wrapping_add(1));
        }
    }
}

impl Write {
    pub(super) const fn new(
        tx: Transaction<'static, Sqlite>,
        signal: Arc<watch::Sender<u64>>,
        opened: Arc<Opened>,
    ) -> Self {
        Self {
            tx,
            signal: Signal {
                to: signal,
                due: false,
            },
            recorded: false,
            _opened: opened,
        }
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    pub(super) async fn record(&mut self, events: &[AuditEvent]) -> Result<(), StoreError> {
        for event in events {
            let body = serde_json::to_string(event).map_err(StoreError::unavailable)?;
            sqlx::query(sql::INSERT_EVENT)
                .bind(event.id.as_bytes().as_slice())
                .bind(event.org.as_ref().map(|org| org.as_bytes().as_slice()))
                .bind(body)
                .execute(&mut *self.tx)
                .await
                .map_err(StoreError::unavailable)?;
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
            _opened,
        } = self;
        signal.due = recorded;
        tx.commit().await.map_err(StoreError::unavailable)
    }
}

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
pub struct OrgTx {
    write: Write,
    org: OrgId,
}

impl fmt::Debug for OrgTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrgTx({})", self.org)
    }
}

impl OrgTx {
    pub(super) const fn new(write: Write, org: OrgId) -> Self {
        Self { write, org }
    }

    /// The organization; the value that `$1` is bound to.
    #[must_use]
    pub const fn org(&self) -> OrgId {
        self.org
    }

    /// The connection that the transaction is open on.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        self.write.connection()
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

    /// Makes the change and its events durable.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]; the change may or may not be durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.write.commit().await
    }
}

/// A change across organizations and its events, committed together.
pub struct SystemTx {
    write: Write,
}

impl fmt::Debug for SystemTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemTx")
    }
}

impl SystemTx {
    pub(super) const fn new(write: Write) -> Self {
        Self { write }
    }

    /// The connection that the transaction is open on.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        self.write.connection()
    }

    /// Records an event, of any organization or none.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the transaction is still open.
    pub async fn record(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        self.write.record(std::slice::from_ref(event)).await
    }

    /// Takes up to `limit` events out of the outbox, in the order of their commits.
    ///
    /// They are gone once this transaction commits, so whoever places them in the log does so in it.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn take_outbox(&mut self, limit: usize) -> Result<Vec<AuditEvent>, StoreError> {
        let rows = sqlx::query(sql::TAKE_EVENTS)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        let mut placed = Vec::with_capacity(rows.len());
        for row in &rows {
            let place: i64 = Columns::of(row, "audit_outbox").get("place")?;
            let event = Columns::of(row, "audit_outbox").read("body", |body: &str| {
                serde_json::from_str::<AuditEvent>(body).ok()
            })?;
            placed.push((place, event));
        }
        placed.sort_by_key(|(place, _)| *place);
        Ok(placed.into_iter().map(|(_, event)| event).collect())
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
