//! Runs and findings.

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgCtx, OrgId, Page, PageRequest, RunId, Scoped, Timestamp};
use cyprob_core::ports::store::StoreError;

use super::{MemoryRuns, Row, State};
use crate::domain::{Fence, NewRun, Requester, Run, RunState, StoredFinding};
use crate::ports::{CancelOutcome, CreateOutcome, KeyedRun, RunStore};

impl Row {
    /// Whether the caller may have it.
    fn is_in(&self, org: &Scoped) -> bool {
        org.admits(self.run.requested_by, &self.run.tags)
    }
}

/// What was asked for under a key.
fn keyed(state: &State, org: &Scoped, requester: Requester, text: &str) -> Option<KeyedRun> {
    let own = state.runs.iter().filter(|((of, _), _)| *of == org.org());
    let mut keyed = own.filter_map(|(_, row)| row.new.key.as_ref().zip(Some(row)));
    let (key, row) = keyed.find(|(key, _)| key.requester == requester && key.text == text)?;
    Some(KeyedRun {
        request: Some(key.request),
        id: row.run.id,
        run: row.is_in(org).then(|| row.run.clone()),
    })
}

#[async_trait]
impl RunStore for MemoryRuns {
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
        let mut state = self.state().await;
        if let Some(key) = &new.key
            && let Some(known) = keyed(&state, org, key.requester, &key.text)
        {
            return Ok(known.outcome(&key.request));
        }
        let mut rows = state.runs.iter();
        let open = |((of, _), row): &(&(OrgId, RunId), &Row)| {
            *of == org.org() && !row.run.state.is_final()
        };
        if rows.by_ref().filter(open).count() >= usize::try_from(most_open).unwrap_or(usize::MAX) {
            return Ok(CreateOutcome::Full);
        }
        self.record_of(org.org_ctx(), event).await?;
        let run = Run {
            id: new.id,
            state: RunState::Queued,
            counts: new.counts,
            requested_by: new.requested_by,
            tags: new.tags.clone(),
            created_at: new.at,
            finished_at: None,
            error: None,
        };
        let row = Row {
            run,
            new: new.clone(),
            fence: Fence(0),
            attempts: 0,
            lease_until: None,
            findings: Vec::new(),
        };
        state.runs.insert((org.org(), new.id), row);
        Ok(CreateOutcome::Queued)
    }

    async fn keyed(
        &self,
        org: &Scoped,
        requester: Requester,
        text: &str,
    ) -> Result<Option<KeyedRun>, StoreError> {
        Ok(keyed(&*self.state().await, org, requester, text))
    }

    async fn exists(&self, org: &OrgCtx, id: RunId) -> Result<bool, StoreError> {
        Ok(self.state().await.runs.contains_key(&(org.org(), id)))
    }

    async fn run(&self, org: &Scoped, id: RunId) -> Result<Option<Run>, StoreError> {
        Ok(self
            .state()
            .await
            .runs
            .get(&(org.org(), id))
            .filter(|row| row.is_in(org))
            .map(|row| row.run.clone()))
    }

    async fn runs(&self, org: &Scoped, page: &PageRequest) -> Result<Page<Run>, StoreError> {
        let state = self.state().await;
        let own = state.runs.iter().rev().filter(|((of, id), row)| {
            *of == org.org()
                && row.is_in(org)
                && page
                    .after()
                    .is_none_or(|after| id.as_bytes().as_slice() < after)
        });
        let items = own
            .map(|(_, row)| row.run.clone())
            .take(page.limit() + 1)
            .collect();
        Ok(Page::cut(items, page, |run: &Run| {
            run.id.as_bytes().to_vec()
        }))
    }

    async fn findings(
        &self,
        org: &Scoped,
        id: RunId,
        page: &PageRequest,
    ) -> Result<Option<Page<StoredFinding>>, StoreError> {
        let state = self.state().await;
        let row = state.runs.get(&(org.org(), id));
        let Some(row) = row.filter(|row| row.is_in(org)) else {
            return Ok(None);
        };
        let after = page.after().unwrap_or_default();
        let later = row
            .findings
            .iter()
            .filter(|f| f.id.as_bytes().as_slice() > after);
        let items = later.take(page.limit() + 1).cloned().collect();
        Ok(Some(Page::cut(items, page, |f: &StoredFinding| {
            f.id.as_bytes().to_vec()
        })))
    }

    async fn cancel(
        &self,
        org: &Scoped,
        id: RunId,
        at: Timestamp,
        event: &AuditEvent,
    ) -> Result<CancelOutcome, StoreError> {
        let mut state = self.state().await;
        let row = state.runs.get_mut(&(org.org(), id));
        let Some(row) = row.filter(|row| row.is_in(org)) else {
            return Ok(CancelOutcome::NotFound);
        };
        if row.run.state.is_final() {
            return Ok(CancelOutcome::Ended(row.run.clone()));
        }
        self.record_of(org.org_ctx(), event).await?;
        row.run.state = RunState::Cancelled;
        row.run.finished_at = Some(at);
        row.lease_until = None;
        Ok(CancelOutcome::Cancelled(row.run.clone()))
    }
}
