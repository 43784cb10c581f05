//! The store of placed entries, beside the outbox they come from.

use std::fmt::Debug;

use async_trait::async_trait;
use cyprob_core::domain::EventId;
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

/// Which part of a log is looked at, from its newer end on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Only entries below this index; from the newest on without one.
    pub before: Option<u64>,
    /// Most entries that are given.
    pub limit: usize,
    /// Most entries that are looked at; at least one is.
    pub scan: u64,
}

impl Look {
    /// The indexes to look at in a log of this size: from the first of the pair up to, not including, the second.
    #[must_use]
    pub fn window(&self, size: u64) -> (u64, u64) {
        let end = self.before.map_or(size, |before| before.min(size));
        (end.saturating_sub(self.scan.max(1)), end)
    }
}

/// What a look found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundEntries {
    /// Indexes and leaves, the newest first.
    pub entries: Vec<(u64, Vec<u8>)>,
    /// The index below which to look on; none if there is nothing older.
    pub next: Option<u64>,
}

impl FoundEntries {
    /// What a look gives that found these, one more than its limit at most, in a window that began at `low`.
    #[must_use]
    pub fn of(mut entries: Vec<(u64, Vec<u8>)>, look: &Look, low: u64) -> Self {
        let next = if entries.len() > look.limit {
            // Below the last that is given; with none given, from where it was.
            entries.truncate(look.limit);
            entries.last().map(|(index, _)| *index).or(look.before)
        } else {
            Some(low)
        };
        Self {
            entries,
            next: next.filter(|next| *next > 0),
        }
    }
}

/// Keeps the entries of every log, each at its index, and the last signed heads.
#[async_trait]
pub trait LogStore: Debug + Send + Sync + 'static {
    /// Up to `limit` events of the outbox, in the order in which they were committed.
    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, LogStoreError>;

    /// Up to `limit` events of the outbox for one log, the newest first.
    ///
    /// With `from`, that event and older ones; nothing if it does not wait for this log.
    async fn waiting(
        &self,
        log: LogId,
        from: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, LogStoreError>;

    /// The logs that have entries, in order.
    async fn logs(&self) -> Result<Vec<LogId>, LogStoreError>;

    /// The number of entries of a log.
    async fn size(&self, log: LogId) -> Result<u64, LogStoreError>;

    /// Takes events out of the outbox and gives them their indexes, in one transaction.
    ///
    /// The batches are of different logs, and each of their events waits in the
    /// outbox; anything else is [`Placed::Moved`], and nothing changed. Others may
    /// wait before them: with many writers, what was recorded earlier may be
    /// committed later.
    async fn place(&self, batches: &[Batch]) -> Result<Placed, LogStoreError>;

    /// The leaves of a log from an index on, as many as there are up to `limit`, without gaps.
    async fn leaves(
        &self,
        log: LogId,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, LogStoreError>;

    /// Entries that the filter takes, the newest first, in bounded work.
    ///
    /// Fewer than asked for may come with a [`FoundEntries::next`] all the same:
    /// what was looked at held no more.
    async fn entries(
        &self,
        log: LogId,
        filter: &EntryFilter,
        look: Look,
    ) -> Result<FoundEntries, LogStoreError>;

    /// The index of a placed event in a log; none if it is not placed there.
    async fn index_of(&self, log: LogId, event: EventId) -> Result<Option<u64>, LogStoreError>;

    /// The last head that was signed; `None` for a log without one.
    async fn signed(&self, log: LogId) -> Result<Option<SignedHead>, LogStoreError>;

    /// Records a head before it is published; `false`, and nothing changed, unless it is
    /// larger than the last one (or the first).
    async fn sign(&self, log: LogId, head: &SignedHead) -> Result<bool, LogStoreError>;
}
