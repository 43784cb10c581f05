//! The store of placed entries in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use cyprob_core::adapters::memory::MemoryStore;
use cyprob_core::domain::EventId;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::ports::store::{Outbox, StoreError};

use crate::domain::{EntryFilter, LogId};
use crate::ports::{
    Batch, FoundEntries, LogStore, LogStoreError, Look, NewEntry, Placed, SignedHead,
};

/// Entries in memory, gone with the process, beside the outbox they come from.
pub struct MemoryLogStore {
    outbox: Arc<dyn Outbox>,
    state: Mutex<State>,
    /// One placement at a time: it is two steps.
    placing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    logs: BTreeMap<LogId, Vec<NewEntry>>,
    indexes: BTreeMap<EventId, (LogId, usize)>,
    signed: BTreeMap<LogId, SignedHead>,
}

impl fmt::Debug for MemoryLogStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryLogStore")
    }
}

impl Default for MemoryLogStore {
    /// A store over an outbox of its own, also in memory.
    fn default() -> Self {
        Self::over(Arc::new(MemoryStore::new()))
    }
}

impl MemoryLogStore {
    /// A store that takes its events from this outbox.
    ///
    /// Not for an outbox that outlives the process: what was placed does not.
    #[must_use]
    pub fn over(outbox: Arc<dyn Outbox>) -> Self {
        Self {
            outbox,
            state: Mutex::default(),
            placing: tokio::sync::Mutex::default(),
        }
    }

    /// The outbox, where events are recorded.
    #[must_use]
    pub fn outbox(&self) -> &Arc<dyn Outbox> {
        &self.outbox
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(error: StoreError) -> LogStoreError {
    LogStoreError::Unavailable {
        source: error.into(),
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[async_trait]
impl LogStore for MemoryLogStore {
    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, LogStoreError> {
        self.outbox.pending(limit).await.map_err(unavailable)
    }

    async fn waiting(
        &self,
        log: LogId,
        from: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, LogStoreError> {
        let waiting = self.outbox.waiting(log.org(), from, limit).await;
        waiting.map_err(unavailable)
    }

    async fn logs(&self) -> Result<Vec<LogId>, LogStoreError> {
        Ok(self.state().logs.keys().copied().collect())
    }

    async fn size(&self, log: LogId) -> Result<u64, LogStoreError> {
        Ok(number(self.state().logs.get(&log).map_or(0, Vec::len)))
    }

    async fn place(&self, batches: &[Batch]) -> Result<Placed, LogStoreError> {
        let _one = self.placing.lock().await;
        let entries = || batches.iter().flat_map(|batch| &batch.entries);
        let placed: BTreeSet<_> = entries().map(|entry| entry.event.id).collect();
        let first = self.outbox.pending(placed.len()).await;
        let first: BTreeSet<_> = first
            .map_err(unavailable)?
            .iter()
            .map(|event| event.id)
            .collect();
        {
            let mut state = self.state();
            let size = |batch: &Batch| state.logs.get(&batch.log).map_or(0, Vec::len);
            let grows = |batch: &Batch| number(size(batch)) == batch.first;
            let twice = entries().count() != placed.len();
            if twice || placed != first || !batches.iter().all(grows) {
                return Ok(Placed::Moved);
            }
            for batch in batches {
                for entry in &batch.entries {
                    let entries = state.logs.entry(batch.log).or_default();
                    let index = entries.len();
                    entries.push(entry.clone());
                    state.indexes.insert(entry.event.id, (batch.log, index));
                }
            }
        }
        let ids: Vec<_> = placed.into_iter().collect();
        self.outbox.discard(&ids).await.map_err(unavailable)?;
        Ok(Placed::Done)
    }

    async fn leaves(
        &self,
        log: LogId,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, LogStoreError> {
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let state = self.state();
        let entries = state.logs.get(&log).into_iter().flatten();
        let leaves = entries.skip(first).take(limit);
        Ok(leaves.map(|entry| entry.leaf.clone()).collect())
    }

    async fn entries(
        &self,
        log: LogId,
        filter: &EntryFilter,
        look: Look,
    ) -> Result<FoundEntries, LogStoreError> {
        let state = self.state();
        let all = state.logs.get(&log).map_or(&[][..], Vec::as_slice);
        let (low, end) = look.window(number(all.len()));
        let range = usize::try_from(low).ok().zip(usize::try_from(end).ok());
        let part = range.and_then(|(low, end)| all.get(low..end));
        let part = part.unwrap_or_default().iter().rev();
        let found = (low..end)
            .rev()
            .zip(part)
            .filter(|(_, entry)| filter.takes(&entry.event))
            .map(|(index, entry)| (index, entry.leaf.clone()))
            .take(look.limit.saturating_add(1));
        Ok(FoundEntries::of(found.collect(), &look, low))
    }

    async fn index_of(&self, log: LogId, event: EventId) -> Result<Option<u64>, LogStoreError> {
        let state = self.state();
        let found = state.indexes.get(&event);
        Ok(found
            .filter(|(of, _)| *of == log)
            .map(|(_, index)| number(*index)))
    }

    async fn signed(&self, log: LogId) -> Result<Option<SignedHead>, LogStoreError> {
        Ok(self.state().signed.get(&log).cloned())
    }

    async fn sign(&self, log: LogId, head: &SignedHead) -> Result<bool, LogStoreError> {
        let mut state = self.state();
        let size = number(state.logs.get(&log).map_or(0, Vec::len));
        let last = state.signed.get(&log).map(|head| head.edge.size());
        let new = head.edge.size();
        let signs = new <= size && last.is_none_or(|last| new > last);
        if signs {
            state.signed.insert(log, head.clone());
        }
        Ok(signs)
    }
}
