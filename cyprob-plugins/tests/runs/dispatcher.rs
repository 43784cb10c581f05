//! The dispatcher stops, is dropped, crashes, and starts again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;
use cyprob_core::domain::audit::Action;
use cyprob_plugins::adapters::Files;
use cyprob_plugins::domain::{Job, RunState};
use cyprob_plugins::ports::{
    CancelOutcome, JobGrant, JobTokenError, JobTokens, Lost, Report, Workers,
};
use cyprob_plugins::service::runs::evaluate;
use cyprob_plugins::testkit::runs::TableTokens;
use secrecy::SecretString;
use tokio::time::sleep;

use crate::site::{Site, gone, process};

const LONG: Duration = Duration::from_secs(600);

/// Does the job in this process, after a while.
#[derive(Debug, Default)]
struct Slow {
    takes: Duration,
    begun: AtomicUsize,
    left: AtomicUsize,
}

impl Slow {
    fn that_takes(seconds: u64) -> Arc<Self> {
        Arc::new(Self {
            takes: Duration::from_secs(seconds),
            ..Self::default()
        })
    }

    /// Waits until a worker has begun.
    async fn working(&self) {
        let wait = async {
            while self.begun.load(Ordering::SeqCst) == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let begun = tokio::time::timeout(Duration::from_secs(300), wait).await;
        begun.expect("a worker should have begun");
    }
}

struct Leaving<'a>(&'a AtomicUsize);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Workers for Slow {
    async fn run(&self, job: &Job, token: &SecretString, _: Duration) -> Result<Report, Lost> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let _leaving = Leaving(&self.left);
        sleep(self.takes).await;
        Ok(Report {
            token: token.clone(),
            run: job.run.to_string(),
            verdict: evaluate(&job.files, job.rule_set, &job.facts, &Files),
        })
    }
}

/// The lease is prolonged as long as the worker works, so nobody else takes the run.
#[tokio::test(start_paused = true)]
async fn a_long_job_is_done_once() {
    let site = Site::new().await;
    let workers = Slow::that_takes(25);
    let task = site
        .dispatcher(workers.clone(), LONG)
        .start()
        .await
        .unwrap();
    let id = site.ask().await;
    let running = site.until(id, |run| run.state == RunState::Running).await;
    assert_eq!(running.finished_at, None);
    // Past the first lease's end.
    let later = site.now().after(Duration::from_secs(20));
    while site.now() < later {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(site.queue.due(site.now()).await.unwrap(), None);
    }
    assert_eq!(site.ended(id).await.state, RunState::Succeeded);
    assert_eq!(workers.begun.load(Ordering::SeqCst), 1);
    task.stop().await;
}

/// A cancelled run's worker is ended soon, and the run stays cancelled.
#[tokio::test(start_paused = true)]
async fn a_cancelled_run_ends_its_worker() {
    let site = Site::new().await;
    let workers = Slow::that_takes(500);
    let task = site
        .dispatcher(workers.clone(), LONG)
        .start()
        .await
        .unwrap();
    let id = site.ask().await;
    workers.working().await;
    assert!(matches!(site.cancel(id).await, CancelOutcome::Cancelled(_)));
    assert_eq!(workers.left.load(Ordering::SeqCst), 0);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(workers.left.load(Ordering::SeqCst), 1);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(site.run(id).await.state, RunState::Cancelled);
    assert_eq!(workers.begun.load(Ordering::SeqCst), 1);
    assert_eq!(
        site.actions().await,
        [Action::RunCreated, Action::RunStarted, Action::RunCancelled]
    );
    task.stop().await;
}

/// A queued run that is cancelled never begins.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_in_the_queue_never_begins() {
    let site = Site::new().await;
    let id = site.ask().await;
    assert!(matches!(site.cancel(id).await, CancelOutcome::Cancelled(_)));
    let workers = Slow::that_takes(1);
    let task = site
        .dispatcher(workers.clone(), LONG)
        .start()
        .await
        .unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(workers.begun.load(Ordering::SeqCst), 0);
    task.stop().await;
}

/// What is under way when the dispatcher stops, or is dropped, is given back, and counts for nothing.
#[tokio::test(start_paused = true)]
async fn stopping_gives_runs_back() {
    let site = Site::new().await;
    let id = site.ask().await;
    for round in 1..=4 {
        let workers = Slow::that_takes(500);
        let task = site
            .dispatcher(workers.clone(), LONG)
            .start()
            .await
            .unwrap();
        workers.working().await;
        if round % 2 == 0 {
            task.stop().await;
        } else {
            drop(task);
        }
        site.until(id, |run| run.state == RunState::Queued).await;
        assert_eq!(workers.left.load(Ordering::SeqCst), 1);
        let waiting = site.queue.due(site.now()).await.unwrap().unwrap();
        assert_eq!((waiting.fence.0, waiting.attempts), (round, 0));
        // Whoever was dropped does not go on in secret.
        sleep(Duration::from_secs(60)).await;
        assert_eq!(site.run(id).await.state, RunState::Queued);
        assert_eq!(workers.begun.load(Ordering::SeqCst), 1);
    }
    site.events().await;
    let task = site
        .dispatcher(Slow::that_takes(1), LONG)
        .start()
        .await
        .unwrap();
    assert_eq!(site.ended(id).await.state, RunState::Succeeded);
    assert_eq!(
        site.actions().await,
        [Action::RunStarted, Action::RunSucceeded]
    );
    task.stop().await;
}

/// Runs a dispatcher on a runtime of its own until it has begun a job, and ends it as a crash would: nothing is given back.
fn crash(site: &Arc<Site>) {
    let theirs = Arc::clone(site);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let workers = Slow::that_takes(500);
            let task = theirs
                .dispatcher(workers.clone(), LONG)
                .start()
                .await
                .unwrap();
            workers.working().await;
            std::mem::forget(task);
        });
        runtime.shutdown_background();
    })
    .join()
    .unwrap();
}

/// A process before this one left a run under a lease: it is taken at once, and succeeds.
#[tokio::test]
async fn a_run_of_a_crashed_process_is_done_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let site = Arc::new(Site::new().await);
    let id = site.ask().await;
    crash(&site);
    assert_eq!(site.run(id).await.state, RunState::Running);
    assert_eq!(site.queue.due(site.now()).await.unwrap(), None);
    let task = site.start(folder.path(), &["honest"], LONG).await;
    let run = site.ended(id).await;
    assert_eq!(run.state, RunState::Succeeded);
    assert_eq!(site.findings(id).await.len(), 1);
    assert_eq!(
        site.actions().await,
        [
            Action::RunCreated,
            Action::RunStarted,
            Action::RunStarted,
            Action::RunSucceeded
        ]
    );
    task.stop().await;
}

/// A run under which two processes crashed is dead, and no third attempt begins.
#[tokio::test]
async fn a_run_that_outlived_two_processes_is_dead() {
    let site = Arc::new(Site::new().await);
    let id = site.ask().await;
    crash(&site);
    crash(&site);
    let workers = Slow::that_takes(0);
    let task = site
        .dispatcher(workers.clone(), LONG)
        .start()
        .await
        .unwrap();
    let run = site.ended(id).await;
    assert_eq!(run.state, RunState::Dead);
    assert_eq!(
        run.error.as_deref(),
        Some("the last attempt was never reported")
    );
    assert_eq!(workers.begun.load(Ordering::SeqCst), 0);
    assert_eq!(
        site.actions().await,
        [
            Action::RunCreated,
            Action::RunStarted,
            Action::RunStarted,
            Action::RunDied
        ]
    );
    task.stop().await;
}

/// Stopping ends the process of the worker, which is not asked.
#[tokio::test]
async fn stopping_ends_the_workers_process() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new().await;
    let task = site.start(folder.path(), &["silent", "honest"], LONG).await;
    let id = site.ask().await;
    let pid = process(folder.path(), 0).await;
    task.stop().await;
    gone(pid).await;
    assert_eq!(site.run(id).await.state, RunState::Queued);
    let task = site.start(folder.path(), &["silent", "honest"], LONG).await;
    assert_eq!(site.ended(id).await.state, RunState::Succeeded);
    task.stop().await;
}

/// Mints only after it failed some times.
#[derive(Debug, Default)]
struct Failing {
    left: AtomicUsize,
    then: TableTokens,
}

#[async_trait]
impl JobTokens for Failing {
    async fn mint(&self, grant: &JobGrant, at: Timestamp) -> Result<SecretString, JobTokenError> {
        let fails = |left: usize| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails)
        {
            Ok(_) => Err(JobTokenError::Mint("no key signs".into())),
            Err(_) => self.then.mint(grant, at).await,
        }
    }

    fn verify(&self, token: &str, at: Timestamp) -> Result<JobGrant, JobTokenError> {
        self.then.verify(token, at)
    }
}

/// While no token can be made for a worker a run waits, however long; its attempts are for workers.
#[tokio::test(start_paused = true)]
async fn a_run_without_a_token_waits_and_counts_for_nothing() {
    for fails in [1, 3] {
        let mut site = Site::new().await;
        let tokens = Failing::default();
        tokens.left.store(fails, Ordering::SeqCst);
        site.tokens = Arc::new(tokens);
        let workers = Slow::that_takes(1);
        let task = site
            .dispatcher(workers.clone(), LONG)
            .start()
            .await
            .unwrap();
        let before = site.now();
        let id = site.ask().await;
        let run = site.ended(id).await;
        assert_eq!(run.state, RunState::Succeeded, "{fails}: {:?}", run.error);
        assert_eq!(workers.begun.load(Ordering::SeqCst), 1);
        let events = site.events().await;
        let waited = events.iter().filter(|(_, reason)| reason == "no_token");
        assert_eq!(waited.count(), fails);
        // It is not tried again at once by every place there is.
        let took = site.now().since(before);
        let pauses = u32::try_from(fails / 2).unwrap();
        assert!(took >= Duration::from_secs(5) * pauses, "{took:?}");
        task.stop().await;
    }
}
