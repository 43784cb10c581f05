//! The store of placed entries.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cyprob_core::adapters::sqlite::{Columns, OpenError, SqliteStore};
use cyprob_core::domain::audit::{AuditEvent, Outcome};
use cyprob_core::domain::{Id as _, OrgId, SystemCtx, Timestamp};
use cyprob_core::ports::store::{Outbox as _, StoreError};

use super::sql;
use crate::domain::{EntryFilter, LogId, RightEdge};
use crate::ports::{Batch, LogStore, LogStoreError, NewEntry, Placed, SignedHead};

/// The entries of every log in core's database.
#[derive(Clone, Debug)]
pub struct SqliteLogStore {
    store: SqliteStore,
    system: SystemCtx,
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
        // Dropping the transaction puts them back.
        let taken = tx.take_outbox(ids.len()).await?;
        if taken.iter().map(|event| event.id).collect::<BTreeSet<_>>() != ids {
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

    async fn try_logs(&self) -> Result<Vec<LogId>, StoreError> {
        let mut read = self.store.system_read(&self.system).await?;
        let rows = sqlx::query(sql::LOGS)
            .fetch_all(read.connection())
            .await
            .map_err(StoreError::unavailable)?;
        rows.iter()
            .map(|row| Columns::of(row, "audit_logs").read("org_id", log_of))
            .collect()
    }

    /// Size and signed head of a log; `None` for one without entries.
    async fn try_log(&self, log: LogId) -> Result<Option<(u64, Option<SignedHead>)>, StoreError> {
        let mut read = self.store.system_read(&self.system).await?;
        let row = sqlx::query(sql::LOG)
            .bind(key(log))
            .fetch_optional(read.connection())
            .await
            .map_err(StoreError::unavailable)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let columns = Columns::of(&row, "audit_logs");
        let unsigned = |number: i64| u64::try_from(number).ok();
        let size = columns.read("size", unsigned)?;
        let Some(signed) = columns.read_optional("signed_size", unsigned)? else {
            return Ok(Some((size, None)));
        };
        let head = SignedHead {
            checkpoint: columns.get("checkpoint")?,
            edge: columns.read("edge", |edge: &[u8]| RightEdge::from_bytes(signed, edge))?,
        };
        Ok(Some((size, Some(head))))
    }

    async fn try_leaves(
        &self,
        log: LogId,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut read = self.store.system_read(&self.system).await?;
        let rows = sqlx::query(sql::LEAVES)
            .bind(key(log))
            .bind(integer(first)?)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(read.connection())
            .await
            .map_err(StoreError::unavailable)?;
        let mut leaves = Vec::with_capacity(rows.len());
        for (index, row) in (integer(first)?..).zip(&rows) {
            let columns = Columns::of(row, "audit_entries");
            columns.read("idx", |found: i64| (found == index).then_some(()))?;
            leaves.push(columns.get("leaf")?);
        }
        Ok(leaves)
    }

    async fn try_entries(
        &self,
        log: LogId,
        filter: &EntryFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let before = before.and_then(|before| i64::try_from(before).ok());
        let mut read = self.store.system_read(&self.system).await?;
        let rows = sqlx::query(sql::ENTRIES)
            .bind(key(log))
            .bind(before.unwrap_or(i64::MAX))
            .bind(filter.from.map_or(i64::MIN, Timestamp::as_micros))
            .bind(filter.to.map_or(i64::MAX, Timestamp::as_micros))
            .bind(filter.actor.as_deref())
            .bind(filter.action.map(|action| action.to_string()))
            .bind(filter.outcome.map(Outcome::as_str))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(read.connection())
            .await
            .map_err(StoreError::unavailable)?;
        let entry = |row: &_| {
            let columns = Columns::of(row, "audit_entries");
            let index = columns.read("idx", |index: i64| u64::try_from(index).ok())?;
            Ok((index, columns.get("leaf")?))
        };
        rows.iter().map(entry).collect()
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

fn log_of(key: &[u8]) -> Option<LogId> {
    if key.is_empty() {
        return Some(LogId::System);
    }
    OrgId::from_slice(key).ok().map(LogId::Org)
}

fn integer(number: u64) -> Result<i64, StoreError> {
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
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, LogStoreError> {
        self.try_entries(log, filter, before, limit)
            .await
            .map_err(failed)
    }

    async fn signed(&self, log: LogId) -> Result<Option<SignedHead>, LogStoreError> {
        let found = self.try_log(log).await.map_err(failed)?;
        Ok(found.and_then(|(_, signed)| signed))
    }

    async fn sign(&self, log: LogId, head: &SignedHead) -> Result<bool, LogStoreError> {
        self.try_sign(log, head).await.map_err(failed)
    }
}
