//! The store of placed entries.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cyprob_core::adapters::sqlite::{OpenError, SqliteStore};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{EventId, SystemCtx};
use cyprob_core::ports::store::{Outbox as _, StoreError};

use super::sql;
use crate::domain::{EntryFilter, LogId};
use crate::ports::{
    Batch, FoundEntries, LogStore, LogStoreError, Look, NewEntry, Placed, SignedHead,
};

/// The entries of every log in core's database.
#[derive(Clone, Debug)]
pub struct SqliteLogStore {
    pub(super) store: SqliteStore,
    pub(super) system: SystemCtx,
}

impl SqliteLogStore {
    /// Brings the tables of this crate up to date in an open database.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::migrate`].
    pub async fn open(store: SqliteStore) -> Result<Self, OpenError> {
        store
            .migrate(
                "cyprob-audit",
                "_cyprob_audit_migrations",
                sqlx::migrate!("migrations/sqlite"),
            )
            .await?;
        Ok(Self {
            store,
            system: SystemCtx::new("sequencer", "placing events in their logs"),
        })
    }

    async fn try_place(&self, batches: &[Batch]) -> Result<Placed, StoreError> {
        let mut tx = self.store.system_tx(&self.system).await?;
        let ids: BTreeSet<_> = batches
            .iter()
            .flat_map(|batch| &batch.entries)
            .map(|entry| entry.event.id)
            .collect();
        let twice = batches
            .iter()
            .map(|batch| batch.entries.len())
            .sum::<usize>()
            != ids.len();
        // Dropping the transaction puts them back.
        let taken = tx.take_outbox(ids.len()).await?;
        if twice || taken.iter().map(|event| event.id).collect::<BTreeSet<_>>() != ids {
            return Ok(Placed::Moved);
        }
        for batch in batches {
            let log = key(batch.log);
            let first = integer(batch.first)?;
            let count = i64::try_from(batch.entries.len()).map_err(StoreError::unavailable)?;
            sqlx::query(sql::ADD_LOG)
                .bind(&log)
                .execute(tx.connection())
                .await
                .map_err(StoreError::unavailable)?;
            let grown = sqlx::query(sql::GROW_LOG)
                .bind(&log)
                .bind(first)
                .bind(count)
                .execute(tx.connection())
                .await
                .map_err(StoreError::unavailable)?;
            if grown.rows_affected() != 1 {
                return Ok(Placed::Moved);
            }
            for (index, entry) in (first..).zip(&batch.entries) {
                let NewEntry { event, leaf, aside } = entry;
                sqlx::query(sql::ADD_ENTRY)
                    .bind(&log)
                    .bind(index)
                    .bind(event.id.as_bytes().as_slice())
                    .bind(event.at.as_micros())
                    .bind(event.actor.id())
                    .bind(event.action.as_str())
                    .bind(event.outcome.as_str())
                    .bind(leaf)
                    .bind(aside)
                    .execute(tx.connection())
                    .await
                    .map_err(StoreError::unavailable)?;
            }
        }
        tx.commit().await?;
        Ok(Placed::Done)
    }

    async fn try_sign(&self, log: LogId, head: &SignedHead) -> Result<bool, StoreError> {
        let mut tx = self.store.system_tx(&self.system).await?;
        let signed = sqlx::query(sql::SIGN)
            .bind(key(log))
            .bind(integer(head.edge.size())?)
            .bind(&head.checkpoint)
            .bind(head.edge.to_bytes())
            .execute(tx.connection())
            .await
            .map_err(StoreError::unavailable)?;
        tx.commit().await?;
        Ok(signed.rows_affected() == 1)
    }
}

/// What stands for a log in the column `org_id`.
pub(super) fn key(log: LogId) -> Vec<u8> {
    match log {
        LogId::System => Vec::new(),
        LogId::Org(org) => org.as_bytes().to_vec(),
    }
}

pub(super) fn integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(StoreError::unavailable)
}

fn failed(error: StoreError) -> LogStoreError {
    LogStoreError::Unavailable {
        source: Box::new(error),
    }
}

#[async_trait]
impl LogStore for SqliteLogStore {
    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, LogStoreError> {
        self.store.pending(limit).await.map_err(failed)
    }

    async fn waiting(
        &self,
        log: LogId,
        from: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, LogStoreError> {
        let waiting = self.store.waiting(log.org(), from, limit).await;
        waiting.map_err(failed)
    }

    async fn logs(&self) -> Result<Vec<LogId>, LogStoreError> {
        self.try_logs().await.map_err(failed)
    }

    async fn size(&self, log: LogId) -> Result<u64, LogStoreError> {
        let found = self.try_log(log).await.map_err(failed)?;
        Ok(found.map_or(0, |(size, _)| size))
    }

    async fn place(&self, batches: &[Batch]) -> Result<Placed, LogStoreError> {
        self.try_place(batches).await.map_err(failed)
    }

    async fn leaves(
        &self,
        log: LogId,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, LogStoreError> {
        self.try_leaves(log, first, limit).await.map_err(failed)
    }

    async fn entries(
        &self,
        log: LogId,
        filter: &EntryFilter,
        look: Look,
    ) -> Result<FoundEntries, LogStoreError> {
        self.try_entries(log, filter, look).await.map_err(failed)
    }

    async fn index_of(&self, log: LogId, event: EventId) -> Result<Option<u64>, LogStoreError> {
        self.try_index_of(log, event).await.map_err(failed)
    }

    async fn signed(&self, log: LogId) -> Result<Option<SignedHead>, LogStoreError> {
        let found = self.try_log(log).await.map_err(failed)?;
        Ok(found.and_then(|(_, signed)| signed))
    }

    async fn sign(&self, log: LogId, head: &SignedHead) -> Result<bool, LogStoreError> {
        self.try_sign(log, head).await.map_err(failed)
    }
}
