//! From the queue to workers and back.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::{Action, Actor, AuditEvent, MetaValue, Outcome, Resource};
use cyprob_core::domain::{Caller, FindingId, OrgId, RunId, Timestamp};
use cyprob_core::ports::store::{Outbox, StoreError};
use cyprob_core::ports::{Clock, Entropy, EntropyExt};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::check;
use crate::domain::{FactSet, Job, RunResult, RunState, StoredFinding, Waiting};
use crate::ports::{FileReader, JobGrant, JobTokens, Lost, Queue, Report, Verdict, Workers};

/// Attempts of a run; after the last it is dead.
const MAX_ATTEMPTS: u32 = 2;
/// How long an attempt is held without a sign of life of ours.
const LEASE: Duration = Duration::from_secs(30);
/// How often the lease is prolonged.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often the queue is looked at without being told to.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the dispatcher works with.
#[derive(Debug)]
pub struct DispatcherParts {
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// Those who run.
    pub workers: Arc<dyn Workers>,
    /// The tokens of attempts.
    pub tokens: Arc<dyn JobTokens>,
    /// The reader of facts, to know what a report can be about.
    pub reader: Arc<dyn FileReader>,
    /// Where refused reports are told.
    pub outbox: Arc<dyn Outbox>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub entropy: Arc<dyn Entropy>,
    /// Wakes the dispatcher when a run was queued.
    pub queued: Arc<Notify>,
    /// How many jobs run at once.
    pub parallel: usize,
    /// How long one attempt may take, at most 10 minutes.
    pub patience: Duration,
}

/// Hands queued runs to workers and takes their reports.
#[derive(Debug)]
pub struct Dispatcher {
    parts: DispatcherParts,
}

/// A dispatcher at work; end it with [`stop`](Self::stop).
#[derive(Debug)]
pub struct RunsTask {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RunsTask {
    /// Takes no further run, waits a moment for those under way, and gives the rest back.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // It ends early only by a panic, which was logged.
        let _ = self.task.await;
    }
}

impl Dispatcher {
    /// A dispatcher over its parts.
    #[must_use]
    pub fn new(mut parts: DispatcherParts) -> Self {
        parts.parallel = parts.parallel.clamp(1, 64);
        parts.patience = parts.patience.min(Duration::from_secs(600));
        Self { parts }
    }

    /// Begins to work. Leases of a process before this one end at once.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing runs then.
    pub async fn start(self) -> Result<RunsTask, StoreError> {
        let at = self.parts.clock.now();
        self.parts.queue.reclaim(at).await?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(Arc::new(self).work(stopped));
        Ok(RunsTask { stop, task })
    }

    async fn work(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(self.parts.parallel));
        let mut jobs = JoinSet::new();
        while !*stopped.borrow_and_update() {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let waiting = tokio::select! {
                waiting = self.next() => waiting,
                _ = stopped.changed() => continue,
            };
            let (this, told) = (Arc::clone(&self), stopped.clone());
            jobs.spawn(async move {
                this.attempt(&waiting, told).await;
                drop(place);
            });
            while jobs.try_join_next().is_some() {}
        }
        while jobs.join_next().await.is_some() {}
    }

    /// Waits for a run that can be taken.
    async fn next(&self) -> Waiting {
        loop {
            match self.parts.queue.due(self.parts.clock.now()).await {
                Ok(Some(waiting)) => return waiting,
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "the queue cannot be read"),
            }
            // Either way the queue is looked at again.
            let _ = timeout(LOOK_EVERY, self.parts.queued.notified()).await;
        }
    }

    async fn attempt(&self, waiting: &Waiting, stopped: watch::Receiver<bool>) {
        if let Err(error) = self.try_attempt(waiting, stopped).await {
            // Its lease ends by itself, and then it is taken again.
            tracing::error!(run.id = %waiting.run, %error, "an attempt could not be recorded");
            sleep(LOOK_EVERY).await;
        }
    }

    async fn try_attempt(
        &self,
        waiting: &Waiting,
        stopped: watch::Receiver<bool>,
    ) -> Result<(), StoreError> {
        let at = self.parts.clock.now();
        let event = self
            .event(waiting, at, Action::RunStarted)
            .with("attempt", MetaValue::count(i64::from(waiting.attempts) + 1));
        let taken = self
            .parts
            .queue
            .take(waiting, at, at.after(LEASE), &event)
            .await?;
        let Some(job) = taken else { return Ok(()) };
        if waiting.attempts >= MAX_ATTEMPTS {
            // The lease of the last attempt ended and nobody gave it back.
            return self
                .lost(&job, waiting, "the last attempt was never reported")
                .await;
        }
        match self.reported(&job, stopped).await {
            Ended::Report(facts, report) => self.judge(&job, waiting, &facts, &report).await,
            Ended::Lost(reason) => self.lost(&job, waiting, &reason).await,
            Ended::Impossible(reason) => {
                self.end(&job, waiting, RunState::Failed, Vec::new(), 0, Some(reason))
                    .await
            }
            Ended::Stopped => {
                let at = self.parts.clock.now();
                let event = self.event(waiting, at, Action::RunRetried);
                let reason = "the control plane was stopped";
                let queue = &self.parts.queue;
                queue
                    .give_back(job.org, job.run, job.fence, false, reason, &event)
                    .await
                    .map(drop)
            }
        }
    }

    /// Has a worker run the job, and prolongs the lease meanwhile.
    async fn reported(&self, job: &Job, mut stopped: watch::Receiver<bool>) -> Ended {
        if let Some(file) = job.files.iter().find(|file| !file.is_intact()) {
            return Ended::Impossible(format!("the stored file {} was altered", file.digest));
        }
        let (reader, facts) = (Arc::clone(&self.parts.reader), job.facts.clone());
        let facts = tokio::task::spawn_blocking(move || reader.facts(&facts)).await;
        let Ok(Ok(facts)) = facts else {
            return Ended::Impossible("the stored facts cannot be read".to_owned());
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
        let token = match self.parts.tokens.mint(&grant, at) {
            Ok(token) => token,
            Err(error) => return Ended::Lost(error.to_string()),
        };
        let running = self.parts.workers.run(job, &token, self.parts.patience);
        tokio::pin!(running);
        loop {
            tokio::select! {
                report = &mut running => return match report {
                    Ok(report) => Ended::Report(facts, Box::new(report)),
                    Err(Lost(reason)) => Ended::Lost(reason),
                },
                () = sleep(HEARTBEAT) => {
                    let until = self.parts.clock.now().after(LEASE);
                    let held = self.parts.queue.extend(job.org, job.run, job.fence, until).await;
                    if matches!(held, Ok(false)) {
                        // Cancelled, most likely; what it reports would not be taken.
                        return Ended::Lost("the attempt is not held any more".to_owned());
                    }
                }
                _ = stopped.changed() => return Ended::Stopped,
            }
        }
    }

    async fn judge(
        &self,
        job: &Job,
        waiting: &Waiting,
        facts: &[FactSet],
        report: &Report,
    ) -> Result<(), StoreError> {
        let at = self.parts.clock.now();
        if let Err(lie) = check::report(job, facts, report, self.parts.tokens.as_ref(), at) {
            let mut event = self.event(waiting, at, Action::RunResultRefused);
            event.outcome = Outcome::Denied;
            event.reason = Some("worker_report".to_owned());
            self.parts.outbox.record(&[event]).await?;
            return self.lost(job, waiting, &lie.to_string()).await;
        }
        match &report.verdict {
            Verdict::Impossible(reason) => {
                let reason = clip(reason);
                self.end(job, waiting, RunState::Failed, Vec::new(), 0, Some(reason))
                    .await
            }
            Verdict::Done { findings, errors } => {
                let mut ids: Vec<FindingId> =
                    findings.iter().map(|_| self.parts.entropy.id(at)).collect();
                ids.sort_unstable();
                let findings = ids.into_iter().zip(findings.iter().cloned());
                let findings = findings
                    .map(|(id, body)| StoredFinding { id, body })
                    .collect();
                let errors = u32::try_from(*errors).unwrap_or(u32::MAX);
                self.end(job, waiting, RunState::Succeeded, findings, errors, None)
                    .await
            }
        }
    }

    async fn end(
        &self,
        job: &Job,
        waiting: &Waiting,
        state: RunState,
        findings: Vec<StoredFinding>,
        errors: u32,
        error: Option<String>,
    ) -> Result<(), StoreError> {
        let at = self.parts.clock.now();
        let action = match state {
            RunState::Succeeded => Action::RunSucceeded,
            RunState::Dead => Action::RunDied,
            _ => Action::RunFailed,
        };
        let mut event = self
            .event(waiting, at, action)
            .with("attempt", MetaValue::count(job.attempt.into()))
            .with("errors", MetaValue::count(errors.into()))
            .with(
                "findings",
                MetaValue::count(i64::try_from(findings.len()).unwrap_or(i64::MAX)),
            );
        if let Some(error) = &error {
            event.outcome = Outcome::Failure;
            event = event.with("error", MetaValue::public(error));
        }
        let result = RunResult {
            state,
            findings,
            errors,
            error,
            at,
        };
        let queue = &self.parts.queue;
        let taken = queue
            .finish(job.org, job.run, job.fence, &result, &event)
            .await?;
        if !taken {
            tracing::info!(run.id = %job.run, "a result came too late and was not taken");
        }
        Ok(())
    }

    /// The attempt came to nothing: the run is tried again, or is dead.
    async fn lost(&self, job: &Job, waiting: &Waiting, reason: &str) -> Result<(), StoreError> {
        let reason = clip(reason);
        if job.attempt >= MAX_ATTEMPTS {
            return self
                .end(job, waiting, RunState::Dead, Vec::new(), 0, Some(reason))
                .await;
        }
        let at = self.parts.clock.now();
        let mut event = self
            .event(waiting, at, Action::RunRetried)
            .with("attempt", MetaValue::count(job.attempt.into()))
            .with("error", MetaValue::public(&reason));
        event.outcome = Outcome::Failure;
        let queue = &self.parts.queue;
        queue
            .give_back(job.org, job.run, job.fence, true, &reason, &event)
            .await
            .map(drop)
    }

    fn event(&self, of: &Waiting, at: Timestamp, action: Action) -> AuditEvent {
        event(
            self.parts.entropy.as_ref(),
            of.org,
            of.run,
            of.requested_by,
            at,
            action,
        )
    }
}

/// How an attempt ended.
enum Ended {
    Report(Vec<FactSet>, Box<Report>),
    Lost(String),
    Impossible(String),
    Stopped,
}

fn event(
    entropy: &dyn Entropy,
    org: OrgId,
    run: RunId,
    on_behalf_of: cyprob_core::domain::UserId,
    at: Timestamp,
    action: Action,
) -> AuditEvent {
    let caller = Caller {
        actor: Actor::Worker { run, on_behalf_of },
        origin: Default::default(),
        request_id: None,
    };
    let on = Resource::new("run", run);
    AuditEvent::new(entropy.id(at), at, &caller, action, on).in_org(org)
}

/// A worker's words, short and printable.
fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
