//! The queue.

use async_trait::async_trait;
use cyprob_core::adapters::sqlite::{Columns, SystemTx};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgId, RunId, Timestamp};
use cyprob_core::ports::store::StoreError;
use sqlx::sqlite::SqliteRow;

use super::plugins::digest;
use super::{Done, SqliteRuns, integer, sql};
use crate::domain::{FactsFile, Fence, Job, PluginFile, PluginId, RunResult, Waiting};
use crate::ports::Queue;

fn fence(columns: Columns<'_>) -> Result<Fence, StoreError> {
    columns.read("fence", |fence: i64| u64::try_from(fence).ok().map(Fence))
}

/// The job that was just taken in this transaction.
async fn job(tx: &mut SystemTx, org: OrgId, run: RunId) -> Result<Job, StoreError> {
    let (key, id) = (org.as_bytes().as_slice(), run.as_bytes().as_slice());
    let row = sqlx::query(sql::JOB)
        .bind(key)
        .bind(id)
        .fetch_one(tx.connection())
        .await
        .done()?;
    let columns = Columns::of(&row, "runs");
    let found = sqlx::query(sql::JOB_PLUGINS).bind(key).bind(id);
    let found = found.fetch_all(tx.connection()).await.done()?;
    let plugin = |row: &SqliteRow| {
        let columns = Columns::of(row, "run_plugins");
        let file = PluginFile {
            name: columns.get("file_name")?,
            digest: digest(columns, "digest")?,
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
        fence: fence(columns)?,
        attempt: columns.u32("attempts")?,
        rule_set: digest(columns, "rule_set")?,
        plugins,
        files,
        facts: FactsFile {
            format: columns.get("facts_format")?,
            bytes: columns.get("facts_bytes")?,
        },
    })
}

impl SqliteRuns {
    /// Commits a change of one row with its event; gives `false` and takes it back if it changed none.
    async fn commit(tx: SystemTx, changed: u64, event: &AuditEvent) -> Result<bool, StoreError> {
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
impl Queue for SqliteRuns {
    async fn due(&self, at: Timestamp) -> Result<Option<Waiting>, StoreError> {
        let mut read = self.store.system_read(&self.system).await?;
        let row = sqlx::query(sql::ANY_DUE)
            .bind(at.as_micros())
            .fetch_optional(read.connection())
            .await
            .done()?;
        let waiting = |row: &SqliteRow| {
            let columns = Columns::of(row, "runs");
            Ok(Waiting {
                run: columns.id("id")?,
                org: columns.id("org_id")?,
                requested_by: columns.id("requested_by")?,
                fence: fence(columns)?,
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
        let taken = sqlx::query(sql::TAKE)
            .bind(waiting.org.as_bytes().as_slice())
            .bind(waiting.run.as_bytes().as_slice())
            .bind(integer(waiting.fence.0)?)
            .bind(at.as_micros())
            .bind(lease_until.as_micros())
            .execute(tx.connection())
            .await
            .done()?;
        if taken.rows_affected() == 0 {
            return Ok(None);
        }
        sqlx::query(sql::TURN)
            .bind(waiting.org.as_bytes().as_slice())
            .bind(at.as_micros())
            .execute(tx.connection())
            .await
            .done()?;
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
        let changed = sqlx::query(sql::EXTEND)
            .bind(org.as_bytes().as_slice())
            .bind(run.as_bytes().as_slice())
            .bind(integer(fence.0)?)
            .bind(lease_until.as_micros())
            .execute(tx.connection())
            .await
            .done()?;
        tx.commit().await?;
        Ok(changed.rows_affected() == 1)
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
        let changed = sqlx::query(sql::GIVE_BACK)
            .bind(org.as_bytes().as_slice())
            .bind(run.as_bytes().as_slice())
            .bind(integer(fence.0)?)
            .bind(error)
            .bind(i64::from(!counts))
            .execute(tx.connection())
            .await
            .done()?;
        Self::commit(tx, changed.rows_affected(), event).await
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
        let (key, id) = (org.as_bytes().as_slice(), run.as_bytes().as_slice());
        let changed = sqlx::query(sql::FINISH)
            .bind(key)
            .bind(id)
            .bind(integer(fence.0)?)
            .bind(result.state.as_str())
            .bind(i64::try_from(result.findings.len()).unwrap_or(i64::MAX))
            .bind(result.errors)
            .bind(result.error.as_deref())
            .bind(result.at.as_micros())
            .execute(tx.connection())
            .await
            .done()?;
        if changed.rows_affected() == 1 {
            for finding in &result.findings {
                sqlx::query(sql::ADD_FINDING)
                    .bind(key)
                    .bind(id)
                    .bind(finding.id.as_bytes().as_slice())
                    .bind(&finding.body)
                    .execute(tx.connection())
                    .await
                    .done()?;
            }
        }
        Self::commit(tx, changed.rows_affected(), event).await
    }

    async fn reclaim(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.store.system_tx(&self.system).await?;
        let ended = sqlx::query(sql::ANY_RECLAIM)
            .bind(at.as_micros())
            .execute(tx.connection())
            .await
            .done()?;
        tx.commit().await?;
        Ok(ended.rows_affected())
    }
}
