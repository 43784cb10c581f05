//! The store of placed entries, beside the outbox they come from.

use std::fmt::Debug;

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;

use crate::domain::{LogId, RightEdge};

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogStoreError {
    /// The backend failed.
    #[error("audit log store unavailable")]
    Unavailable {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An entry on its way into a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// The event that it holds, for what a query asks for.
    pub event: AuditEvent,
    /// The bytes of the leaf.
    pub leaf: Vec<u8>,
    /// Metadata that was too large for the leaf, to be kept under its hash.
    pub aside: Option<Vec<u8>>,
}

/// What became of entries that were to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// They have their indexes.
    Done,
    /// The log has another size than was thought: somebody else placed entries. Nothing changed.
    Moved,
}

/// The last head that was signed for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// The signed checkpoint, as it is or will be published.
    pub checkpoint: Vec<u8>,
    /// The right edge of its tree, with its size and root.
    pub edge: RightEdge,
}

/// Keeps the entries of every log, each at its index, and the last signed heads.
#[async_trait]
pub trait LogStore: Debug + Send + Sync + 'static {
    /// Up to `limit` events of the outbox, in the order in which they were committed.
    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, LogStoreError>;

    /// The logs that have entries.
    async fn logs(&self) -> Result<Vec<LogId>, LogStoreError>;

    /// The number of entries of a log.
    async fn size(&self, log: LogId) -> Result<u64, LogStoreError>;

    /// Gives entries the indexes from `first` on and takes their events out of the outbox, in one step.
    ///
    /// Placing an event that is no longer in the outbox is [`Placed::Moved`] too.
    async fn place(
        &self,
        log: LogId,
        first: u64,
        entries: &[NewEntry],
    ) -> Result<Placed, LogStoreError>;

    /// The leaves of a log from an index on, at most `limit`, without gaps.
    async fn leaves(
        &self,
        log: LogId,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, LogStoreError>;

    /// The last head that was signed; `None` for a log without one.
    async fn signed(&self, log: LogId) -> Result<Option<SignedHead>, LogStoreError>;

    /// Records a head before it is published; `false`, and nothing changed, unless it is
    /// larger than the last one (or the first).
    async fn sign(&self, log: LogId, head: &SignedHead) -> Result<bool, LogStoreError>;
}
