//! Counters of failures.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{FailureChange, FailureKey, FailureKind, Failures, Timestamp};
use crate::ports::store::{FailureStore, StoreError};

const fn number(kind: FailureKind) -> i64 {
    match kind {
        FailureKind::Password => 1,
        FailureKind::SecondFactor => 2,
    }
}

fn key(key: &FailureKey) -> [Arg<'_>; 2] {
    [Arg::bytes(key.subject.as_bytes()), number(key.kind).into()]
}

async fn add<B: Backend>(
    write: &mut Write<B>,
    change: &FailureChange,
    bound: u32,
) -> Result<(), StoreError> {
    let [subject, kind] = key(&change.key);
    if change.cleared {
        let of = [subject.clone(), kind.clone()];
        write.execute(&sql::CLEAR_FAILURES, &of).await?;
    }
    if change.more == 0 {
        return Ok(());
    }
    let more = [
        subject.clone(),
        kind.clone(),
        change.more.into(),
        change.last.into(),
    ];
    write.execute(&sql::ADD_FAILURES, &more).await?;
    let Some(event) = &change.at_bound else {
        return Ok(());
    };
    let told = write
        .execute(&sql::TELL_FAILURES, &[subject, kind, bound.into()])
        .await?;
    if told > 0 {
        write.record(std::slice::from_ref(event)).await?;
    }
    Ok(())
}

#[async_trait]
impl<B: Backend> FailureStore for SqlStore<B> {
    async fn failures(&self, of: &FailureKey) -> Result<Failures, StoreError> {
        let row = self.fetch_optional(&sql::FAILURES, &key(of)).await?;
        let Some(row) = row else {
            return Ok(Failures::default());
        };
        let row = Columns::of(&row, "failures");
        Ok(Failures {
            count: row.u32("failures")?,
            last: Some(row.time("last_failed_at")?),
        })
    }

    async fn add_failures(&self, changes: &[FailureChange], bound: u32) -> Result<(), StoreError> {
        // In one order, so that two nodes do not wait for each other.
        let mut changes: Vec<_> = changes.iter().collect();
        changes.sort_by_key(|change| change.key);
        let mut write = self.writing(Scope::none()).await?;
        for change in changes {
            add(&mut write, change, bound).await?;
        }
        write.commit().await
    }

    async fn clear_failures(
        &self,
        of: &[FailureKey],
        events: &[AuditEvent],
    ) -> Result<bool, StoreError> {
        let mut of = of.to_vec();
        of.sort_unstable();
        let mut write = self.writing(Scope::none()).await?;
        let mut cleared = 0_u64;
        for of in &of {
            let gone = write.execute(&sql::CLEAR_FAILURES, &key(of)).await?;
            cleared = cleared.saturating_add(gone);
        }
        if cleared == 0 {
            return Ok(false);
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn sweep_failures(
        &self,
        quiet_since: Timestamp,
        bound: u32,
        most: u32,
    ) -> Result<u64, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let quiet = [bound.into(), quiet_since.into()];
        let quiet = write.execute(&sql::SWEEP_QUIET_FAILURES, &quiet).await?;
        let light = [most.into()];
        let light = write.execute(&sql::SWEEP_LIGHT_FAILURES, &light).await?;
        write.commit().await?;
        Ok(quiet.saturating_add(light))
    }
}
