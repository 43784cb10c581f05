//! Runs and findings.

use async_trait::async_trait;
use cyprob_core::adapters::sqlite::Columns;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgCtx, Page, PageRequest, RunId, Timestamp};
use cyprob_core::ports::store::StoreError;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{Done, SqliteRuns, rows, sql};
use crate::domain::{NewRun, Run, RunCounts, StoredFinding};
use crate::ports::{CancelOutcome, CreateOutcome, RunStore};

fn run(row: &SqliteRow) -> Result<Run, StoreError> {
    let columns = Columns::of(row, "runs");
    Ok(Run {
        id: columns.id("id")?,
        state: columns.parse("state")?,
        counts: RunCounts {
            facts: columns.u32("facts")?,
            plugins: columns.u32("plugins")?,
            findings: columns.u32("findings")?,
            errors: columns.u32("errors")?,
        },
        requested_by: columns.id("requested_by")?,
        created_at: columns.time("created_at")?,
        finished_at: columns.optional_time("finished_at")?,
        error: columns.optional("error")?,
    })
}

async fn one(
    connection: &mut SqliteConnection,
    org: &OrgCtx,
    id: RunId,
) -> Result<Option<Run>, StoreError> {
    let row = sqlx::query(sql::RUN)
        .bind(org.org().as_bytes().as_slice())
        .bind(id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await
        .done()?;
    row.as_ref().map(run).transpose()
}

#[async_trait]
impl RunStore for SqliteRuns {
    async fn create(
        &self,
        org: &OrgCtx,
        new: &NewRun,
        most_open: u32,
        event: &AuditEvent,
    ) -> Result<CreateOutcome, StoreError> {
        let mut tx = self.store.org_tx(org).await?;
        let own = org.org();
        let key = own.as_bytes().as_slice();
        if let Some(known) = &new.idempotency_key {
            let row = sqlx::query(sql::RUN_BY_KEY)
                .bind(key)
                .bind(known)
                .fetch_optional(tx.connection())
                .await
                .done()?;
            if let Some(row) = row {
                return run(&row).map(CreateOutcome::Known);
            }
        }
        let open = sqlx::query(sql::OPEN_RUNS).bind(key);
        let open = open.fetch_one(tx.connection()).await.done()?;
        if Columns::of(&open, "runs").u32("open")? >= most_open {
            return Ok(CreateOutcome::Full);
        }
        sqlx::query(sql::ADD_RUN)
            .bind(key)
            .bind(new.id.as_bytes().as_slice())
            .bind(new.requested_by.as_bytes().as_slice())
            .bind(new.idempotency_key.as_deref())
            .bind(new.counts.facts)
            .bind(new.counts.plugins)
            .bind(new.at.as_micros())
            .bind(new.rule_set.as_bytes().as_slice())
            .bind(&new.facts.format)
            .bind(&new.facts.bytes)
            .execute(tx.connection())
            .await
            .done()?;
        for (place, (plugin, file)) in (0_i64..).zip(new.plugins.iter().zip(&new.files)) {
            let digest = file.digest.as_bytes().as_slice();
            let statements = [
                sqlx::query(sql::ADD_FILE)
                    .bind(key)
                    .bind(digest)
                    .bind(&file.bytes),
                sqlx::query(sql::ADD_RUN_PLUGIN)
                    .bind(key)
                    .bind(new.id.as_bytes().as_slice())
                    .bind(place)
                    .bind(plugin.as_str())
                    .bind(&file.name)
                    .bind(digest),
            ];
            for statement in statements {
                statement.execute(tx.connection()).await.done()?;
            }
        }
        tx.record(event).await.done()?;
        tx.commit().await?;
        Ok(CreateOutcome::Queued)
    }

    async fn run(&self, org: &OrgCtx, id: RunId) -> Result<Option<Run>, StoreError> {
        let mut read = self.store.org_read(org).await?;
        one(read.connection(), org, id).await
    }

    async fn runs(&self, org: &OrgCtx, page: &PageRequest) -> Result<Page<Run>, StoreError> {
        let mut read = self.store.org_read(org).await?;
        let found = sqlx::query(sql::RUNS)
            .bind(org.org().as_bytes().as_slice())
            .bind(page.after().unwrap_or(&[0xff; 16]))
            .bind(rows(page.limit()))
            .fetch_all(read.connection())
            .await
            .done()?;
        let items = found.iter().map(run).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(items, page, |run| run.id.as_bytes().to_vec()))
    }

    async fn findings(
        &self,
        org: &OrgCtx,
        id: RunId,
        page: &PageRequest,
    ) -> Result<Option<Page<StoredFinding>>, StoreError> {
        let mut read = self.store.org_read(org).await?;
        if one(read.connection(), org, id).await?.is_none() {
            return Ok(None);
        }
        let found = sqlx::query(sql::FINDINGS)
            .bind(org.org().as_bytes().as_slice())
            .bind(id.as_bytes().as_slice())
            .bind(page.after().unwrap_or_default())
            .bind(rows(page.limit()))
            .fetch_all(read.connection())
            .await
            .done()?;
        let finding = |row: &SqliteRow| {
            let columns = Columns::of(row, "findings");
            Ok(StoredFinding {
                id: columns.id("id")?,
                body: columns.get("body")?,
            })
        };
        let items = found
            .iter()
            .map(finding)
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Some(Page::cut(items, page, |finding| {
            finding.id.as_bytes().to_vec()
        })))
    }

    async fn cancel(
        &self,
        org: &OrgCtx,
        id: RunId,
        at: Timestamp,
        event: &AuditEvent,
    ) -> Result<CancelOutcome, StoreError> {
        let mut tx = self.store.org_tx(org).await?;
        let changed = sqlx::query(sql::CANCEL)
            .bind(org.org().as_bytes().as_slice())
            .bind(id.as_bytes().as_slice())
            .bind(at.as_micros())
            .execute(tx.connection())
            .await
            .done()?;
        let Some(found) = one(tx.connection(), org, id).await? else {
            return Ok(CancelOutcome::NotFound);
        };
        if changed.rows_affected() == 0 {
            return Ok(CancelOutcome::Ended(found));
        }
        tx.record(event).await.done()?;
        tx.commit().await?;
        Ok(CancelOutcome::Cancelled(found))
    }
}
