//! One attempt at a run: taken, handed to a worker, judged, ended or given back.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::{
    Action, Actor, AuditEvent, MetaValue, Outcome, RequestOrigin, Resource,
};
use cyprob_core::domain::{Caller, FindingId, OrgId, RunId, Timestamp, UserId};
use cyprob_core::ports::EntropyExt;
use cyprob_core::ports::store::StoreError;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::check;
use super::dispatcher::{Dispatcher, told};
use crate::domain::{FactSet, Fence, Job, RunResult, RunState, StoredFinding, Waiting};
use crate::ports::{JobGrant, Lost, Report, Verdict};

/// Attempts of a run; after the last it is dead.
const MAX_ATTEMPTS: u32 = 2;
/// How long an attempt is held without a sign of life of ours.
const LEASE: Duration = Duration::from_secs(30);
/// How often the lease is prolonged; also how soon a cancelled run's worker is ended.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long before a run is tried again for which no token could be made.
const PAUSE: Duration = Duration::from_secs(5);

/// What names an attempt.
#[derive(Clone, Copy)]
struct Attempt {
    run: RunId,
    org: OrgId,
    requested_by: UserId,
    fence: Fence,
    number: u32,
}

impl Attempt {
    const fn of(job: &Job) -> Self {
        Self {
            run: job.run,
            org: job.org,
            requested_by: job.requested_by,
            fence: job.fence,
            number: job.attempt,
        }
    }

    const fn last_of(waiting: &Waiting) -> Self {
        Self {
            run: waiting.run,
            org: waiting.org,
            requested_by: waiting.requested_by,
            fence: waiting.fence,
            number: waiting.attempts,
        }
    }
}

/// How an attempt ended.
enum Ended {
    Report(Vec<FactSet>, Report),
    Lost(String),
    Impossible(String),
    /// Nobody ran it: there was no token for its worker.
    NoToken(String),
    Stopped,
}

/// What a run comes to.
struct Came {
    state: RunState,
    findings: Vec<StoredFinding>,
    errors: u32,
    error: Option<String>,
}

impl Came {
    const fn to(state: RunState, error: String) -> Self {
        Self {
            state,
            findings: Vec::new(),
            errors: 0,
            error: Some(error),
        }
    }
}

impl Dispatcher {
    /// Makes one attempt at a run, if it can still be taken.
    pub(super) async fn attempt(
        &self,
        waiting: &Waiting,
        stopped: watch::Receiver<bool>,
    ) -> Result<(), StoreError> {
        let at = self.parts.clock.now();
        if waiting.attempts >= MAX_ATTEMPTS {
            // The lease of the last attempt ended, and nobody gave it back.
            let reason = "the last attempt was never reported".to_owned();
            let came = Came::to(RunState::Dead, reason);
            return self.end(Attempt::last_of(waiting), came).await;
        }
        let number = waiting.attempts.saturating_add(1);
        let event = self
            .event(Attempt::last_of(waiting), at, Action::RunStarted)
            .with("attempt", MetaValue::count(number.into()));
        let queue = &self.parts.queue;
        let Some(job) = queue.take(waiting, at, at.after(LEASE), &event).await? else {
            return Ok(());
        };
        let (attempt, job) = (Attempt::of(&job), Arc::new(job));
        let mut until = stopped.clone();
        match self.reported(&job, stopped).await {
            Ended::Report(facts, report) => self.judge(job, facts, report).await,
            Ended::Lost(reason) => self.lost(attempt, &reason).await,
            Ended::Impossible(reason) => {
                self.end(attempt, Came::to(RunState::Failed, reason)).await
            }
            Ended::NoToken(reason) => {
                tracing::error!(run.id = %attempt.run, reason, "a run waits for its worker's token");
                self.uncounted(attempt, "no_token", &clip(&reason)).await?;
                // While nothing is signed no other run fares better, so the place stays taken.
                let _ = timeout(PAUSE, told(&mut until)).await;
                Ok(())
            }
            Ended::Stopped => {
                let reason = "the control plane was stopped";
                self.uncounted(attempt, "stopped", reason).await
            }
        }
    }

    /// Gives the run back as if it had not been tried.
    async fn uncounted(&self, of: Attempt, because: &str, reason: &str) -> Result<(), StoreError> {
        let event = self.event(of, self.parts.clock.now(), Action::RunRetried);
        let event = event.because(because);
        let queue = &self.parts.queue;
        queue
            .give_back(of.org, of.run, of.fence, false, reason, &event)
            .await
            .map(drop)
    }

    /// Has a worker run the job, and prolongs the lease meanwhile.
    async fn reported(&self, job: &Arc<Job>, mut stopped: watch::Receiver<bool>) -> Ended {
        let (reader, given) = (Arc::clone(&self.parts.reader), Arc::clone(job));
        let read = tokio::task::spawn_blocking(move || {
            if let Some(file) = given.files.iter().find(|file| !file.is_intact()) {
                return Err(format!("the stored file {} was altered", file.digest));
            }
            let facts = reader.facts(&given.facts);
            facts.map_err(|_| "the stored facts cannot be read".to_owned())
        });
        let facts = match read.await {
            Ok(Ok(facts)) => facts,
            Ok(Err(reason)) => return Ended::Impossible(reason),
            Err(_) => return Ended::Lost("the reader of the facts gave up".to_owned()),
        };
        let at = self.parts.clock.now();
        let grant = JobGrant {
            run: job.run,
            org: job.org,
            fence: job.fence,
            rule_set: job.rule_set,
            on_behalf_of: job.requested_by,
            // A report that comes in at the last moment is still to be judged.
            deadline: at.after(self.parts.patience + LEASE),
        };
        let token = match self.parts.tokens.mint(&grant, at).await {
            Ok(token) => token,
            Err(error) => return Ended::NoToken(error.to_string()),
        };
        let running = self.parts.workers.run(job, &token, self.parts.patience);
        tokio::pin!(running);
        loop {
            tokio::select! {
                biased;
                report = &mut running => return match report {
                    Ok(report) => Ended::Report(facts, report),
                    Err(Lost(reason)) => Ended::Lost(reason),
                },
                () = told(&mut stopped) => return Ended::Stopped,
                () = sleep(HEARTBEAT) => {
                    let until = self.parts.clock.now().after(LEASE);
                    let held = self.parts.queue.extend(job.org, job.run, job.fence, until).await;
                    if matches!(held, Ok(false)) {
                        // Cancelled, most likely; what it reports would not be taken.
                        return Ended::Lost("the attempt is not held any more".to_owned());
                    }
                }
            }
        }
    }

    async fn judge(
        &self,
        job: Arc<Job>,
        facts: Vec<FactSet>,
        report: Report,
    ) -> Result<(), StoreError> {
        let attempt = Attempt::of(&job);
        let at = self.parts.clock.now();
        let tokens = Arc::clone(&self.parts.tokens);
        // A report has megabytes: reading it would hold up the threads that answer requests.
        let judged = tokio::task::spawn_blocking(move || {
            check::report(&job, &facts, &report, tokens.as_ref(), at).map(|()| report.verdict)
        });
        let verdict = match judged.await.map_err(StoreError::unavailable)? {
            Ok(verdict) => verdict,
            Err(lie) => {
                let event = self.event(attempt, at, Action::RunResultRefused);
                let event = event
                    .with_outcome(Outcome::Denied, lie.code())
                    .with("attempt", MetaValue::count(attempt.number.into()));
                self.parts.outbox.record(&[event]).await?;
                return self.lost(attempt, &lie.to_string()).await;
            }
        };
        let came = match verdict {
            Verdict::Impossible(reason) => Came::to(RunState::Failed, clip(&reason)),
            Verdict::Done { findings, errors } => {
                let ids = findings.iter().map(|_| self.parts.entropy.id(at));
                let mut ids: Vec<FindingId> = ids.collect();
                // Lists are in the order of ids, which is to be the order of the report.
                ids.sort_unstable();
                let findings = ids.into_iter().zip(findings);
                Came {
                    state: RunState::Succeeded,
                    findings: findings
                        .map(|(id, body)| StoredFinding { id, body })
                        .collect(),
                    errors: u32::try_from(errors).unwrap_or(u32::MAX),
                    error: None,
                }
            }
        };
        self.end(attempt, came).await
    }

    async fn end(&self, attempt: Attempt, came: Came) -> Result<(), StoreError> {
        let at = self.parts.clock.now();
        let action = match came.state {
            RunState::Succeeded => Action::RunSucceeded,
            RunState::Dead => Action::RunDied,
            _ => Action::RunFailed,
        };
        let findings = i64::try_from(came.findings.len()).unwrap_or(i64::MAX);
        let mut event = self
            .event(attempt, at, action)
            .with("attempt", MetaValue::count(attempt.number.into()))
            .with("errors", MetaValue::count(came.errors.into()))
            .with("findings", MetaValue::count(findings));
        if let Some(error) = &came.error {
            event.outcome = Outcome::Failure;
            event = event.with("error", MetaValue::public(error));
        }
        let result = RunResult {
            state: came.state,
            findings: came.findings,
            errors: came.errors,
            error: came.error,
            at,
        };
        let taken = self
            .parts
            .queue
            .finish(attempt.org, attempt.run, attempt.fence, &result, &event)
            .await?;
        if !taken {
            tracing::info!(run.id = %attempt.run, "a result came too late and was not taken");
        }
        Ok(())
    }

    /// The attempt came to nothing: the run is tried again, or is dead.
    async fn lost(&self, attempt: Attempt, reason: &str) -> Result<(), StoreError> {
        let reason = clip(reason);
        if attempt.number >= MAX_ATTEMPTS {
            return self.end(attempt, Came::to(RunState::Dead, reason)).await;
        }
        let at = self.parts.clock.now();
        let event = self
            .event(attempt, at, Action::RunRetried)
            .with_outcome(Outcome::Failure, "lost")
            .with("attempt", MetaValue::count(attempt.number.into()))
            .with("error", MetaValue::public(&reason));
        let Attempt {
            org, run, fence, ..
        } = attempt;
        let queue = &self.parts.queue;
        queue
            .give_back(org, run, fence, true, &reason, &event)
            .await
            .map(drop)
    }

    fn event(&self, of: Attempt, at: Timestamp, action: Action) -> AuditEvent {
        let caller = Caller {
            actor: Actor::Worker {
                run: of.run,
                on_behalf_of: of.requested_by,
            },
            origin: RequestOrigin::default(),
            request_id: None,
        };
        let on = Resource::new("run", of.run);
        AuditEvent::new(self.parts.entropy.id(at), at, &caller, action, on).in_org(of.org)
    }
}

/// A worker's words, short and printable.
fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
