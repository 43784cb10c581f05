//! Reading what is placed.

use cyprob_core::adapters::sql::{Arg, Backend, Columns};
use cyprob_core::domain::audit::Outcome;
use cyprob_core::domain::{EventId, Id as _, OrgId, Timestamp};
use cyprob_core::ports::store::StoreError;

use super::log_store::{SqlLogStore, integer, key};
use super::sql;
use crate::domain::{EntryFilter, LogId, RightEdge};
use crate::ports::{FoundEntries, Look, SignedHead};

impl<B: Backend> SqlLogStore<B> {
    pub(super) async fn try_logs(&self) -> Result<Vec<LogId>, StoreError> {
        let mut read = self.store.system_read(&self.system).await?;
        let rows = read.fetch_all(&sql::LOGS, &[]).await?;
        rows.iter()
            .map(|row| Columns::of(row, "audit_logs").read("org_id", log_of))
            .collect()
    }

    /// Size and signed head of a log; `None` for one without entries.
    pub(super) async fn try_log(
        &self,
        log: LogId,
    ) -> Result<Option<(u64, Option<SignedHead>)>, StoreError> {
        let mut read = self.store.system_read(&self.system).await?;
        let row = read.fetch_optional(&sql::LOG, &[key(log)]).await?;
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

    pub(super) async fn try_leaves(
        &self,
        log: LogId,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut read = self.store.system_read(&self.system).await?;
        let rows = read
            .fetch_all(
                &sql::LEAVES,
                &[key(log), integer(first)?.into(), Arg::count(limit)],
            )
            .await?;
        let mut leaves = Vec::with_capacity(rows.len());
        for (index, row) in (integer(first)?..).zip(&rows) {
            let columns = Columns::of(row, "audit_entries");
            columns.read("idx", |found: i64| (found == index).then_some(()))?;
            leaves.push(columns.get("leaf")?);
        }
        Ok(leaves)
    }

    pub(super) async fn try_entries(
        &self,
        log: LogId,
        filter: &EntryFilter,
        look: Look,
    ) -> Result<FoundEntries, StoreError> {
        let size = self.try_log(log).await?.map_or(0, |(size, _)| size);
        let (low, end) = look.window(size);
        let mut read = self.store.system_read(&self.system).await?;
        let rows = read
            .fetch_all(
                &sql::ENTRIES,
                &[
                    key(log),
                    integer(low)?.into(),
                    integer(end)?.into(),
                    filter.from.map_or(i64::MIN, Timestamp::as_micros).into(),
                    filter.to.map_or(i64::MAX, Timestamp::as_micros).into(),
                    filter.actor.as_deref().into(),
                    filter.action.map(|action| action.to_string()).into(),
                    filter.outcome.map(Outcome::as_str).into(),
                    Arg::count(look.limit.saturating_add(1)),
                ],
            )
            .await?;
        let entry = |row: &B::Row| {
            let columns = Columns::of(row, "audit_entries");
            let index = columns.read("idx", |index: i64| u64::try_from(index).ok())?;
            Ok((index, columns.get("leaf")?))
        };
        let found = rows.iter().map(entry).collect::<Result<_, StoreError>>()?;
        Ok(FoundEntries::of(found, &look, low))
    }

    pub(super) async fn try_index_of(
        &self,
        log: LogId,
        event: EventId,
    ) -> Result<Option<u64>, StoreError> {
        let mut read = self.store.system_read(&self.system).await?;
        let row = read
            .fetch_optional(&sql::INDEX_OF, &[key(log), event.into()])
            .await?;
        row.map(|row| {
            Columns::of(&row, "audit_entries").read("idx", |index: i64| u64::try_from(index).ok())
        })
        .transpose()
    }
}

fn log_of(key: [u8; 16]) -> Option<LogId> {
    if key == [0; 16] {
        return Some(LogId::System);
    }
    OrgId::from_slice(&key).ok().map(LogId::Org)
}
