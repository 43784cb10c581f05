//! Runs and findings.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cyprob_core::adapters::sql::{Arg, Backend, Columns};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgCtx, Page, PageRequest, RunId, Scoped, Tag, Timestamp};
use cyprob_core::ports::store::StoreError;

use super::{GONE, SqlRuns, recorded, sql};
use crate::domain::{Digest, NewRun, Requester, Run, RunCounts, StoredFinding};
use crate::ports::{CancelOutcome, CreateOutcome, KeyedRun, RunStore};

/// The tags of a run: in no tag is a comma.
fn tags(joined: Option<&str>) -> Result<BTreeSet<Tag>, StoreError> {
    let parsed = joined.into_iter().flat_map(|joined| joined.split(','));
    let parsed = parsed.map(str::parse).collect::<Result<_, _>>();
    parsed.map_err(|_| StoreError::Corrupt {
        table: "run_tags",
        column: "tag",
    })
}

fn texts(tags: &BTreeSet<Tag>) -> Arg<'_> {
    Arg::Texts(tags.iter().map(|tag| Some(tag.as_str())).collect())
}

/// The organization and what of it: the first arguments of a statement that looks at a scope.
fn scope(org: &Scoped) -> [Arg<'_>; 5] {
    let objects = org.objects();
    [
        org.org().into(),
        org.owner().into(),
        objects.has_own().into(),
        texts(objects.tags()),
        texts(objects.own_tags()),
    ]
}

/// The arguments of a statement of runs that are in a scope.
fn in_scope<'a, const N: usize>(org: &'a Scoped, more: [Arg<'a>; N]) -> Vec<Arg<'a>> {
    let all = Arg::Bool(org.objects().is_all());
    scope(org).into_iter().chain([all]).chain(more).collect()
}

/// The id of whoever asks; no person and no service account have the same.
fn asking(requester: Requester) -> Arg<'static> {
    Arg::Id(Some(match requester {
        Requester::Person(id) => *id.as_bytes(),
        Requester::Service(id) => *id.as_bytes(),
    }))
}

/// What was asked for under a key, and the run of it.
fn used<B: Backend>(row: &B::Row) -> Result<(Option<Digest>, RunId), StoreError> {
    let columns = Columns::of(row, "run_keys");
    let request = |bytes: &[u8]| bytes.try_into().ok().map(Digest::from_bytes);
    Ok((
        columns.read_optional("request", request)?,
        columns.id("run_id")?,
    ))
}

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
        tags: tags(columns.optional("tags")?)?,
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
        org: &Scoped,
        new: &NewRun,
        most_open: u32,
        event: &AuditEvent,
    ) -> Result<CreateOutcome, StoreError> {
        if !org.admits_new(new.requested_by, &new.tags) {
            return Ok(CreateOutcome::Outside);
        }
        let mut tx = self.store.org_tx(org.org_ctx()).await?;
        let own = org.org();
        tx.lock(&sql::LOCK_TENANT, &[own.into()]).await?;
        if let Some(key) = &new.key {
            let args = [own.into(), asking(key.requester), key.text.as_str().into()];
            if let Some(row) = tx.fetch_optional(&sql::RUN_KEY, &args).await? {
                let (request, id) = used::<B>(&row)?;
                let args = in_scope(org, [id.into()]);
                let row = tx.fetch_optional(&sql::RUN, &args).await?;
                let run = row.as_ref().map(run::<B>).transpose()?;
                return Ok(KeyedRun { request, id, run }.outcome(&key.request));
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
                new.counts.facts.into(),
                new.counts.plugins.into(),
                new.at.into(),
                Arg::bytes(new.rule_set.as_bytes()),
                new.facts.format.as_str().into(),
                Arg::bytes(&new.facts.bytes),
            ],
        )
        .await?;
        if let Some(key) = &new.key {
            let args = [
                own.into(),
                asking(key.requester),
                key.text.as_str().into(),
                Arg::bytes(key.request.as_bytes()),
                new.id.into(),
            ];
            tx.execute(&sql::ADD_RUN_KEY, &args).await?;
        }
        if !new.tags.is_empty() {
            let by = new.requested_by.into();
            let args = [own.into(), new.id.into(), by, texts(&new.tags)];
            tx.execute(&sql::ADD_RUN_TAGS, &args).await?;
        }
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

    async fn keyed(
        &self,
        org: &Scoped,
        requester: Requester,
        text: &str,
    ) -> Result<Option<KeyedRun>, StoreError> {
        let mut read = self.store.org_read(org.org_ctx()).await?;
        let args = [org.org().into(), asking(requester), text.into()];
        let Some(row) = read.fetch_optional(&sql::RUN_KEY, &args).await? else {
            return Ok(None);
        };
        let (request, id) = used::<B>(&row)?;
        let args = in_scope(org, [id.into()]);
        let row = read.fetch_optional(&sql::RUN, &args).await?;
        let run = row.as_ref().map(run::<B>).transpose()?;
        Ok(Some(KeyedRun { request, id, run }))
    }

    async fn exists(&self, org: &OrgCtx, id: RunId) -> Result<bool, StoreError> {
        let mut read = self.store.org_read(org).await?;
        let args = [org.org().into(), id.into()];
        let found = read.fetch_optional(&sql::RUN_EXISTS, &args).await?;
        Ok(found.is_some())
    }

    async fn run(&self, org: &Scoped, id: RunId) -> Result<Option<Run>, StoreError> {
        let mut read = self.store.org_read(org.org_ctx()).await?;
        let args = in_scope(org, [id.into()]);
        let row = read.fetch_optional(&sql::RUN, &args).await?;
        row.as_ref().map(run::<B>).transpose()
    }

    async fn runs(&self, org: &Scoped, page: &PageRequest) -> Result<Page<Run>, StoreError> {
        let mut read = self.store.org_read(org.org_ctx()).await?;
        let (before, limit) = (before(page), Arg::limit(page));
        let found = if org.objects().is_all() {
            let args = [org.org().into(), before, limit];
            read.fetch_all(&sql::RUNS, &args).await?
        } else {
            let args: Vec<_> = scope(org).into_iter().chain([before, limit]).collect();
            read.fetch_all(&sql::RUNS_IN_SCOPE, &args).await?
        };
        let items = found.iter().map(run::<B>).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(items, page, |run| run.id.as_bytes().to_vec()))
    }

    async fn findings(
        &self,
        org: &Scoped,
        id: RunId,
        page: &PageRequest,
    ) -> Result<Option<Page<StoredFinding>>, StoreError> {
        let mut read = self.store.org_read(org.org_ctx()).await?;
        let args = in_scope(org, [id.into()]);
        if read.fetch_optional(&sql::RUN, &args).await?.is_none() {
            return Ok(None);
        }
        let args = in_scope(org, [id.into(), Arg::after(page), Arg::limit(page)]);
        let found = read.fetch_all(&sql::FINDINGS, &args).await?;
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
        org: &Scoped,
        id: RunId,
        at: Timestamp,
        event: &AuditEvent,
    ) -> Result<CancelOutcome, StoreError> {
        let mut tx = self.store.org_tx(org.org_ctx()).await?;
        let args = in_scope(org, [id.into(), at.into()]);
        let changed = tx.execute(&sql::CANCEL, &args).await?;
        let args = in_scope(org, [id.into()]);
        let row = tx.fetch_optional(&sql::RUN, &args).await?;
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
