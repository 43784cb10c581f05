//! The queue.

use async_trait::async_trait;
use cyprob_core::adapters::sql::{Arg, Backend, Cells, Columns, SystemTx};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgId, RunId, Timestamp};
use cyprob_core::ports::store::StoreError;

use super::plugins::digest;
use super::{GONE, SqlRuns, integer, sql};
use crate::domain::{FactsFile, Fence, Job, PluginFile, PluginId, RunResult, Waiting};
use crate::ports::Queue;

fn fence(columns: &Columns<'_, impl Cells>) -> Result<Fence, StoreError> {
    columns.read("fence", |fence: i64| u64::try_from(fence).ok().map(Fence))
}

/// The job that was just taken in this transaction.
async fn job<B: Backend>(tx: &mut SystemTx<B>, org: OrgId, run: RunId) -> Result<Job, StoreError> {
    let args = [org.into(), run.into()];
    let row = tx.fetch_optional(&sql::JOB, &args).await?.ok_or(GONE)?;
    let columns = Columns::of(&row, "runs");
    let found = tx.fetch_all(&sql::JOB_PLUGINS, &args).await?;
    let plugin = |row: &B::Row| {
        let columns = Columns::of(row, "run_plugins");
        let file = PluginFile {
            name: columns.get("file_name")?,
            digest: digest(&columns, "digest")?,
            bytes: columns.get("bytes")?,
        };
        Ok((columns.read("plugin", PluginId::parse)?, file))
    };
    let (plugins, files) = found
        .iter()
        .map(plugin)
        .collect::<Result<Vec<_>, StoreError>>()?
        .into_iter()
        .unzip();
    Ok(Job {
        run,
        org,
        requested_by: columns.id("requested_by")?,
        fence: fence(&columns)?,
        attempt: columns.u32("attempts")?,
        rule_set: digest(&columns, "rule_set")?,
        plugins,
        files,
        facts: FactsFile {
            format: columns.get("facts_format")?,
            bytes: columns.get("facts_bytes")?,
        },
    })
}

impl<B: Backend> SqlRuns<B> {
    /// Commits a change of one row with its event; gives `false` and takes it back if it changed none.
    async fn commit(tx: SystemTx<B>, changed: u64, event: &AuditEvent) -> Result<bool, StoreError> {
        let mut tx = tx;
        if changed == 0 {
            return Ok(false);
        }
        tx.record(event).await?;
        tx.commit().await?;
        Ok(true)
    }
}

#[async_trait]
impl<B: Backend> Queue for SqlRuns<B> {
    async fn due(&self, at: Timestamp) -> Result<Option<Waiting>, StoreError> {
        let mut read = self.store.system_read(&self.system).await?;
        let row = read.fetch_optional(&sql::ANY_DUE, &[at.into()]).await?;
        let waiting = |row: &B::Row| {
            let columns = Columns::of(row, "runs");
            Ok(Waiting {
                run: columns.id("id")?,
                org: columns.id("org_id")?,
                requested_by: columns.id("requested_by")?,
                fence: fence(&columns)?,
                attempts: columns.u32("attempts")?,
            })
        };
        row.as_ref().map(waiting).transpose()
    }

    async fn take(
        &self,
        waiting: &Waiting,
        at: Timestamp,
        lease_until: Timestamp,
        event: &AuditEvent,
    ) -> Result<Option<Job>, StoreError> {
        let mut tx = self.store.system_tx(&self.system).await?;
        let taken = tx
            .execute(
                &sql::TAKE,
                &[
                    waiting.org.into(),
                    waiting.run.into(),
                    integer(waiting.fence.0)?.into(),
                    at.into(),
                    lease_until.into(),
                ],
            )
            .await?;
        if taken == 0 {
            return Ok(None);
        }
        tx.execute(&sql::TURN, &[waiting.org.into(), at.into()])
            .await?;
        let job = job(&mut tx, waiting.org, waiting.run).await?;
        tx.record(event).await?;
        tx.commit().await?;
        Ok(Some(job))
    }

    async fn extend(
        &self,
        org: OrgId,
        run: RunId,
        fence: Fence,
        lease_until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.store.system_tx(&self.system).await?;
        let changed = tx
            .execute(
                &sql::EXTEND,
                &[
                    org.into(),
                    run.into(),
                    integer(fence.0)?.into(),
                    lease_until.into(),
                ],
            )
            .await?;
        tx.commit().await?;
        Ok(changed == 1)
    }

    async fn give_back(
        &self,
        org: OrgId,
        run: RunId,
        fence: Fence,
        counts: bool,
        error: &str,
        event: &AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut tx = self.store.system_tx(&self.system).await?;
        let changed = tx
            .execute(
                &sql::GIVE_BACK,
                &[
                    org.into(),
                    run.into(),
                    integer(fence.0)?.into(),
                    error.into(),
                    i64::from(!counts).into(),
                ],
            )
            .await?;
        Self::commit(tx, changed, event).await
    }

    async fn finish(
        &self,
        org: OrgId,
        run: RunId,
        fence: Fence,
        result: &RunResult,
        event: &AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut tx = self.store.system_tx(&self.system).await?;
        let changed = tx
            .execute(
                &sql::FINISH,
                &[
                    org.into(),
                    run.into(),
                    integer(fence.0)?.into(),
                    result.state.as_str().into(),
                    Arg::count(result.findings.len()),
                    result.errors.into(),
                    result.error.as_deref().into(),
                    result.at.into(),
                ],
            )
            .await?;
        if changed == 1 {
            for finding in &result.findings {
                tx.execute(
                    &sql::ADD_FINDING,
                    &[
                        org.into(),
                        run.into(),
                        finding.id.into(),
                        finding.body.as_str().into(),
                    ],
                )
                .await?;
            }
        }
        Self::commit(tx, changed, event).await
    }

    async fn reclaim(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.store.system_tx(&self.system).await?;
        let ended = tx.execute(&sql::ANY_RECLAIM, &[at.into()]).await?;
        tx.commit().await?;
        Ok(ended)
    }
}
