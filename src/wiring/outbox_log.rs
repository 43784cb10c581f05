//! The log in memory, over the outbox of the store in memory.

use std::sync::Arc;

use async_trait::async_trait;
use cyprob_audit::adapters::memory::MemoryLogStore;
use cyprob_audit::domain::{EntryFilter, LogId};
use cyprob_audit::ports::{Batch, LogStore, LogStoreError, Placed, SignedHead};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::ports::store::{IdentityStore, StoreError};

/// Takes events out of an outbox and keeps them in memory.
///
/// Not for a store that outlives the process: the two steps of a placement are
/// not one transaction.
#[derive(Debug)]
pub(crate) struct OutboxLog {
    outbox: Arc<dyn IdentityStore>,
    log: MemoryLogStore,
}

impl OutboxLog {
    pub(crate) fn new(outbox: Arc<dyn IdentityStore>, log: MemoryLogStore) -> Self {
        Self { outbox, log }
    }
}

fn unavailable(error: StoreError) -> LogStoreError {
    LogStoreError::Unavailable {
        source: error.into(),
    }
}

#[async_trait]
impl LogStore for OutboxLog {
    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, LogStoreError> {
        self.outbox.pending(limit).await.map_err(unavailable)
    }

    async fn logs(&self) -> Result<Vec<LogId>, LogStoreError> {
        self.log.logs().await
    }

    async fn size(&self, log: LogId) -> Result<u64, LogStoreError> {
        self.log.size(log).await
    }

    async fn place(&self, batches: &[Batch]) -> Result<Placed, LogStoreError> {
        let events = || {
            batches
                .iter()
                .flat_map(|batch| &batch.entries)
                .map(|entry| &entry.event)
        };
        events().for_each(|event| self.log.record(event.clone()));
        let placed = self.log.place(batches).await?;
        let ids: Vec<_> = events().map(|event| event.id).collect();
        self.outbox.discard(&ids).await.map_err(unavailable)?;
        Ok(placed)
    }

    async fn leaves(
        &self,
        log: LogId,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, LogStoreError> {
        self.log.leaves(log, first, limit).await
    }

    async fn entries(
        &self,
        log: LogId,
        filter: &EntryFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, LogStoreError> {
        self.log.entries(log, filter, before, limit).await
    }

    async fn signed(&self, log: LogId) -> Result<Option<SignedHead>, LogStoreError> {
        self.log.signed(log).await
    }

    async fn sign(&self, log: LogId, head: &SignedHead) -> Result<bool, LogStoreError> {
        self.log.sign(log, head).await
    }
}
