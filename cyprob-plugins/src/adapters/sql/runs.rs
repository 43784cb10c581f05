//! Runs and findings.

use async_trait::async_trait;
use cyprob_core::adapters::sql::{Arg, Backend, Columns};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgCtx, Page, PageRequest, RunId, Timestamp};
use cyprob_core::ports::store::StoreError;

use super::{GONE, SqlRuns, recorded, sql};
use crate::domain::{NewRun, Run, RunCounts, StoredFinding};
use crate::ports::{CancelOutcome, CreateOutcome, RunStore};

fn run<B: Backend>(row: &B::Row) -> Result<Run, StoreError> {
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

/// The identifier that a page of the newest first goes on before.
fn before(page: &PageRequest) -> Arg<'static> {
    match page.after() {
        Some(_) => Arg::after(page),
        None => Arg::Id(Some([0xff; 16])),
    }
}

#[async_trait]
impl<B: Backend> RunStore for SqlRuns<B> {
    async fn create(
        &self,
        org: &OrgCtx,
        new: &NewRun,
        most_open: u32,
        event: &AuditEvent,
    ) -> Result<CreateOutcome, StoreError> {
        let mut tx = self.store.org_tx(org).await?;
        let own = org.org();
        tx.lock(&sql::LOCK_TENANT, &[own.into()]).await?;
        if let Some(known) = &new.idempotency_key {
            let row = tx
                .fetch_optional(&sql::RUN_BY_KEY, &[own.into(), known.as_str().into()])
                .await?;
            if let Some(row) = row {
                return run::<B>(&row).map(CreateOutcome::Known);
            }
        }
        let open = tx.fetch_optional(&sql::OPEN_RUNS, &[own.into()]).await?;
        let open = open.ok_or(GONE)?;
        if Columns::of(&open, "runs").u32("open")? >= most_open {
            return Ok(CreateOutcome::Full);
        }
        tx.execute(
            &sql::ADD_RUN,
            &[
                own.into(),
                new.id.into(),
                new.requested_by.into(),
                new.idempotency_key.as_deref().into(),
                new.counts.facts.into(),
                new.counts.plugins.into(),
                new.at.into(),
                Arg::bytes(new.rule_set.as_bytes()),
                new.facts.format.as_str().into(),
                Arg::bytes(&new.facts.bytes),
            ],
        )
        .await?;
        for (place, (plugin, file)) in (0_i64..).zip(new.plugins.iter().zip(&new.files)) {
            let digest = Arg::bytes(file.digest.as_bytes());
            let args = [own.into(), digest.clone(), Arg::bytes(&file.bytes)];
            tx.execute(&sql::ADD_FILE, &args).await?;
            let args = [
                own.into(),
                new.id.into(),
                place.into(),
                plugin.as_str().into(),
                file.name.as_str().into(),
                digest,
            ];
            tx.execute(&sql::ADD_RUN_PLUGIN, &args).await?;
        }
        recorded(tx.record(event).await)?;
        tx.commit().await?;
        Ok(CreateOutcome::Queued)
    }

    async fn run(&self, org: &OrgCtx, id: RunId) -> Result<Option<Run>, StoreError> {
        let mut read = self.store.org_read(org).await?;
        let row = read
            .fetch_optional(&sql::RUN, &[org.org().into(), id.into()])
            .await?;
        row.as_ref().map(run::<B>).transpose()
    }

    async fn runs(&self, org: &OrgCtx, page: &PageRequest) -> Result<Page<Run>, StoreError> {
        let mut read = self.store.org_read(org).await?;
        let found = read
            .fetch_all(
                &sql::RUNS,
                &[org.org().into(), before(page), Arg::limit(page)],
            )
            .await?;
        let items = found.iter().map(run::<B>).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(items, page, |run| run.id.as_bytes().to_vec()))
    }

    async fn findings(
        &self,
        org: &OrgCtx,
        id: RunId,
        page: &PageRequest,
    ) -> Result<Option<Page<StoredFinding>>, StoreError> {
        let mut read = self.store.org_read(org).await?;
        if read
            .fetch_optional(&sql::RUN, &[org.org().into(), id.into()])
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let found = read
            .fetch_all(
                &sql::FINDINGS,
                &[
                    org.org().into(),
                    id.into(),
                    Arg::after(page),
                    Arg::limit(page),
                ],
            )
            .await?;
        let finding = |row: &B::Row| {
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
        let changed = tx
            .execute(&sql::CANCEL, &[org.org().into(), id.into(), at.into()])
            .await?;
        let row = tx
            .fetch_optional(&sql::RUN, &[org.org().into(), id.into()])
            .await?;
        let Some(found) = row.as_ref().map(run::<B>).transpose()? else {
            return Ok(CancelOutcome::NotFound);
        };
        if changed == 0 {
            return Ok(CancelOutcome::Ended(found));
        }
        recorded(tx.record(event).await)?;
        tx.commit().await?;
        Ok(CancelOutcome::Cancelled(found))
    }
}
