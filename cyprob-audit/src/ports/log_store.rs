//! The store of placed entries, beside the outbox they come from.

use std::fmt::Debug;

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;

use crate::domain::{EntryFilter, LogId, RightEdge};

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

/// Entries on their way into one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The log.
    pub log: LogId,
    /// The index of the first entry: the log's size so far.
    pub first: u64,
    /// The entries, in their order.
    pub entries: Vec<NewEntry>,
}

/// What became of entries that were to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// They have their indexes.
    Done,
    /// A log or the outbox is not as it was thought to be: somebody else placed events. Nothing changed.
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

    /// Takes the first events out of the outbox and gives them their indexes, in one transaction.
    ///
    /// The batches are of different logs, and their events together are
    /// exactly as many of the first ones of the outbox; anything else is
    /// [`Placed::Moved`], and nothing changed.
    async fn place(&self, batches: &[Batch]) -> Result<Placed, LogStoreError>;

    /// The leaves of a log from an index on, at most `limit`, without gaps.
    async fn leaves(
        &self,
        log: LogId,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, LogStoreError>;

    /// Entries that the filter takes, below an index if one is given, the newest first.
    async fn entries(
        &self,
        log: LogId,
        filter: &EntryFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, LogStoreError>;

    /// The last head that was signed; `None` for a log without one.
    async fn signed(&self, log: LogId) -> Result<Option<SignedHead>, LogStoreError>;

    /// Records a head before it is published; `false`, and nothing changed, unless it is
    /// larger than the last one (or the first).
    async fn sign(&self, log: LogId, head: &SignedHead) -> Result<bool, LogStoreError>;
}
