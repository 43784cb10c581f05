//! The queue.

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgId, RunId, Timestamp};
use cyprob_core::ports::store::StoreError;

use super::{MemoryRuns, Row};
use crate::domain::{Fence, Job, RunResult, RunState, Waiting};
use crate::ports::Queue;

impl Row {
    fn is_due(&self, at: Timestamp) -> bool {
        match self.run.state {
            RunState::Queued => true,
            RunState::Running => self.lease_until.is_none_or(|until| until <= at),
            _ => false,
        }
    }

    fn job(&self, org: OrgId) -> Job {
        Job {
            run: self.run.id,
            org,
            requested_by: self.run.requested_by,
            fence: self.fence,
            attempt: self.attempts,
            rule_set: self.new.rule_set,
            plugins: self.new.plugins.clone(),
            files: self.new.files.clone(),
            facts: self.new.facts.clone(),
        }
    }
}

impl MemoryRuns {
    /// Changes a run that this fence still holds, with its event; `false` if it does not hold it.
    async fn held(
        &self,
        (org, run, fence): (OrgId, RunId, Fence),
        event: Option<&AuditEvent>,
        change: impl FnOnce(&mut Row) + Send,
    ) -> Result<bool, StoreError> {
        let mut state = self.state().await;
        match state.runs.get_mut(&(org, run)) {
            Some(row) if row.fence == fence && row.run.state == RunState::Running => {
                if let Some(event) = event {
                    self.record(event).await?;
                }
                change(row);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

#[async_trait]
impl Queue for MemoryRuns {
    async fn due(&self, at: Timestamp) -> Result<Option<Waiting>, StoreError> {
        let state = self.state().await;
        let mut due: Vec<_> = state
            .runs
            .iter()
            .filter(|(_, row)| row.is_due(at))
            .collect();
        due.sort_by_key(|((org, run), _)| (state.turns.get(org), *run));
        Ok(due.first().map(|((org, run), row)| Waiting {
            run: *run,
            org: *org,
            requested_by: row.run.requested_by,
            fence: row.fence,
            attempts: row.attempts,
        }))
    }

    async fn take(
        &self,
        waiting: &Waiting,
        at: Timestamp,
        lease_until: Timestamp,
        event: &AuditEvent,
    ) -> Result<Option<Job>, StoreError> {
        let mut state = self.state().await;
        match state.runs.get_mut(&(waiting.org, waiting.run)) {
            Some(row) if row.fence == waiting.fence && row.is_due(at) => {
                self.record(event).await?;
                row.fence = Fence(row.fence.0 + 1);
                row.attempts += 1;
                row.run.state = RunState::Running;
                row.lease_until = Some(lease_until);
                let job = row.job(waiting.org);
                state.turns.insert(waiting.org, at);
                Ok(Some(job))
            }
            _ => Ok(None),
        }
    }

    async fn extend(
        &self,
        org: OrgId,
        run: RunId,
        fence: Fence,
        lease_until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.held((org, run, fence), None, |row| {
            row.lease_until = Some(lease_until);
        })
        .await
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
        self.held((org, run, fence), Some(event), |row| {
            row.run.state = RunState::Queued;
            row.run.error = Some(error.to_owned());
            row.lease_until = None;
            row.attempts -= u32::from(!counts);
        })
        .await
    }

    async fn finish(
        &self,
        org: OrgId,
        run: RunId,
        fence: Fence,
        result: &RunResult,
        event: &AuditEvent,
    ) -> Result<bool, StoreError> {
        self.held((org, run, fence), Some(event), |row| {
            row.run.state = result.state;
            row.run.counts.findings = u32::try_from(result.findings.len()).unwrap_or(u32::MAX);
            row.run.counts.errors = result.errors;
            row.run.error.clone_from(&result.error);
            row.run.finished_at = Some(result.at);
            row.lease_until = None;
            row.findings.clone_from(&result.findings);
        })
        .await
    }

    async fn reclaim(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state().await;
        let mut ended = 0;
        for row in state.runs.values_mut() {
            if row.run.state == RunState::Running && row.lease_until > Some(at) {
                row.lease_until = Some(at);
                ended += 1;
            }
        }
        Ok(ended)
    }
}
