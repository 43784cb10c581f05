//! The store of placed entries.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cyprob_core::adapters::sql::{Arg, Backend, SqlStore, SystemTx};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{EventId, Id, SystemCtx};
use cyprob_core::ports::store::{Outbox as _, StoreError};

use super::sql;
use crate::domain::{EntryFilter, LogId};
use crate::ports::{
    Batch, FoundEntries, LogStore, LogStoreError, Look, NewEntry, Placed, SignedHead,
};

/// The entries of every log in core's database.
#[derive(Debug)]
pub struct SqlLogStore<B: Backend> {
    pub(super) store: SqlStore<B>,
    pub(super) system: SystemCtx,
}

impl<B: Backend> Clone for SqlLogStore<B> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            system: self.system.clone(),
        }
    }
}

impl<B: Backend> SqlLogStore<B> {
    pub(in crate::adapters) fn over(store: SqlStore<B>) -> Self {
        Self {
            store,
            system: SystemCtx::new("sequencer", "placing events in their logs"),
        }
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
        let wanted: Vec<_> = ids.into_iter().collect();
        let taken = tx.take_outbox(&wanted).await?;
        if twice || taken.len() != wanted.len() {
            return Ok(Placed::Moved);
        }
        for batch in batches {
            let log = key(batch.log);
            let first = integer(batch.first)?;
            let count = i64::try_from(batch.entries.len()).map_err(StoreError::unavailable)?;
            if first == 0 {
                tx.execute(&sql::ADD_LOG, std::slice::from_ref(&log))
                    .await?;
            }
            let grown = tx
                .execute(&sql::GROW_LOG, &[log.clone(), first.into(), count.into()])
                .await?;
            if grown != 1 {
                return Ok(Placed::Moved);
            }
            add_entries(&mut tx, batch, log, first).await?;
        }
        tx.commit().await?;
        Ok(Placed::Done)
    }

    async fn try_sign(&self, log: LogId, head: &SignedHead) -> Result<bool, StoreError> {
        let mut tx = self.store.system_tx(&self.system).await?;
        let signed = tx
            .execute(
                &sql::SIGN,
                &[
                    key(log),
                    integer(head.edge.size())?.into(),
                    Arg::bytes(&head.checkpoint),
                    head.edge.to_bytes().into(),
                ],
            )
            .await?;
        tx.commit().await?;
        Ok(signed == 1)
    }
}

/// Adds the entries of a log from this index on.
async fn add_entries<B: Backend>(
    tx: &mut SystemTx<B>,
    batch: &Batch,
    log: Arg<'static>,
    first: i64,
) -> Result<(), StoreError> {
    let entries = batch.entries.iter();
    if B::text(&sql::ADD_ENTRIES).is_empty() {
        for (index, NewEntry { event, leaf, aside }) in (first..).zip(entries) {
            let args = [
                log.clone(),
                index.into(),
                event.id.into(),
                event.at.into(),
                event.actor.id().into(),
                event.action.as_str().into(),
                event.outcome.as_str().into(),
                Arg::bytes(leaf),
                Arg::optional_bytes(aside.as_deref()),
            ];
            tx.execute(&sql::ADD_ENTRY, &args).await?;
        }
        return Ok(());
    }
    let events = || entries.clone().map(|entry| &entry.event);
    let actors: Vec<_> = events().map(|event| event.actor.id()).collect();
    let args = [
        log,
        first.into(),
        Arg::ids(events().map(|event| event.id)),
        Arg::Ints(events().map(|event| Some(event.at.as_micros())).collect()),
        Arg::Texts(actors.iter().map(Option::as_deref).collect()),
        Arg::Texts(events().map(|event| Some(event.action.as_str())).collect()),
        Arg::Texts(events().map(|event| Some(event.outcome.as_str())).collect()),
        Arg::Blobs(
            entries
                .clone()
                .map(|entry| Some(entry.leaf.as_slice()))
                .collect(),
        ),
        Arg::Blobs(
            entries
                .clone()
                .map(|entry| entry.aside.as_deref())
                .collect(),
        ),
    ];
    tx.execute(&sql::ADD_ENTRIES, &args).await?;
    Ok(())
}

/// What stands for a log in the column `org_id`: zeros for the system's.
pub(super) fn key(log: LogId) -> Arg<'static> {
    Arg::Id(Some(log.org().map_or([0; 16], Id::to_bytes)))
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
impl<B: Backend> LogStore for SqlLogStore<B> {
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
