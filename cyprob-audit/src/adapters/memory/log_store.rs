//! The store of placed entries in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;

use crate::domain::{EntryFilter, LogId};
use crate::ports::{Batch, LogStore, LogStoreError, NewEntry, Placed, SignedHead};

/// Outbox and entries in memory, gone with the process.
#[derive(Debug, Default)]
pub struct MemoryLogStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    outbox: Vec<AuditEvent>,
    logs: BTreeMap<LogId, Vec<NewEntry>>,
    signed: BTreeMap<LogId, SignedHead>,
}

impl MemoryLogStore {
    /// Puts an event in the outbox.
    pub fn record(&self, event: AuditEvent) {
        self.state().outbox.push(event);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl LogStore for MemoryLogStore {
    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, LogStoreError> {
        Ok(self.state().outbox.iter().take(limit).cloned().collect())
    }

    async fn logs(&self) -> Result<Vec<LogId>, LogStoreError> {
        Ok(self.state().logs.keys().copied().collect())
    }

    async fn size(&self, log: LogId) -> Result<u64, LogStoreError> {
        let size = self.state().logs.get(&log).map_or(0, Vec::len);
        Ok(u64::try_from(size).unwrap_or(u64::MAX))
    }

    async fn place(&self, batches: &[Batch]) -> Result<Placed, LogStoreError> {
        let mut state = self.state();
        let placed: BTreeSet<_> = batches
            .iter()
            .flat_map(|batch| &batch.entries)
            .map(|entry| entry.event.id)
            .collect();
        let first: BTreeSet<_> = state
            .outbox
            .iter()
            .take(placed.len())
            .map(|event| event.id)
            .collect();
        let size = |batch: &Batch| state.logs.get(&batch.log).map_or(0, Vec::len);
        let grows = |batch: &Batch| u64::try_from(size(batch)).ok() == Some(batch.first);
        if placed != first || !batches.iter().all(grows) {
            return Ok(Placed::Moved);
        }
        state.outbox.drain(..placed.len());
        for batch in batches {
            let entries = state.logs.entry(batch.log).or_default();
            entries.extend_from_slice(&batch.entries);
        }
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
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, LogStoreError> {
        let state = self.state();
        let entries = (0_u64..).zip(state.logs.get(&log).into_iter().flatten());
        let mut taken: Vec<_> = entries
            .filter(|(index, entry)| {
                before.is_none_or(|before| *index < before) && filter.takes(&entry.event)
            })
            .map(|(index, entry)| (index, entry.leaf.clone()))
            .collect();
        taken.reverse();
        taken.truncate(limit);
        Ok(taken)
    }

    async fn signed(&self, log: LogId) -> Result<Option<SignedHead>, LogStoreError> {
        Ok(self.state().signed.get(&log).cloned())
    }

    async fn sign(&self, log: LogId, head: &SignedHead) -> Result<bool, LogStoreError> {
        let mut state = self.state();
        let last = state.signed.get(&log).map(|head| head.edge.size());
        let larger = last.is_none_or(|last| head.edge.size() > last);
        if larger {
            state.signed.insert(log, head.clone());
        }
        Ok(larger)
    }
}
