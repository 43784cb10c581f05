//! One organization with a plugin, facts, and a dispatcher whose workers are as a test wants them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cyprob_core::adapters::memory::MemoryStore;
use cyprob_core::domain::audit::Action;
use cyprob_core::domain::{
    Caller, CtxIssuer, Id, ObjectScope, PageRequest, RunId, Scoped, Timestamp, UserId,
};
use cyprob_core::ports::store::Outbox as _;
use cyprob_core::ports::{Clock, EntropyExt as _};
use cyprob_core::testkit::SeededEntropy;
use cyprob_plugins::adapters::Files;
use cyprob_plugins::adapters::memory::MemoryRuns;
use cyprob_plugins::adapters::worker::{ProcessWorkers, WorkerCommand};
use cyprob_plugins::domain::{FactsFile, Run};
use cyprob_plugins::ports::{CancelOutcome, JobTokens, Queue, Workers};
use cyprob_plugins::service::runs::{
    Dispatcher, DispatcherParts, PluginLibrary, RunRequest, RunRequests, RunsTask,
};
use cyprob_plugins::testkit::runs::TableTokens;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

/// The longest that any test waits for anything.
const BOUND: Duration = Duration::from_secs(30);

pub(crate) const PLUGIN: &[u8] = b"id: telnet-open\nname: Telnet\nversion: 1.0.0\ntype: evaluation\nauthor: tests\n\
    metadata: {severity: high}\ntriggers: [{data_key: telnet.banner, condition: exists, value: true}]\n\
    output: {vulnerability: true, message: telnet is open}\n";
pub(crate) const FACTS: &[u8] =
    br#"{"target":"scanned.example","port":23,"facts":{"telnet.banner":"login:"}}
{"target":"scanned.example","port":22,"facts":{"ssh.banner":"SSH-2.0-OpenSSH_9.2"}}
"#;

/// A clock that goes as tokio's does, which a test may stop.
#[derive(Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_767_225_600).after(self.0.elapsed())
    }
}

pub(crate) struct Site {
    pub(crate) org: Scoped,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) user: UserId,
    pub(crate) outbox: Arc<MemoryStore>,
    pub(crate) library: PluginLibrary,
    pub(crate) requests: RunRequests,
    queued: Arc<Notify>,
    pub(crate) tokens: Arc<dyn JobTokens>,
    clock: Arc<TokioClock>,
    entropy: Arc<SeededEntropy>,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let outbox = Arc::new(MemoryStore::new());
        let runs = Arc::new(MemoryRuns::new(outbox.clone()));
        let clock = Arc::new(TokioClock(Instant::now()));
        let entropy = Arc::new(SeededEntropy::new(3));
        let queued = Arc::new(Notify::new());
        let library = PluginLibrary::new(
            runs.clone(),
            Arc::new(Files),
            outbox.clone(),
            clock.clone(),
            entropy.clone(),
        );
        let requests = RunRequests::new(
            runs.clone(),
            runs.clone(),
            Arc::new(Files),
            outbox.clone(),
            clock.clone(),
            entropy.clone(),
            queued.clone(),
        );
        let issuer = CtxIssuer::for_composition();
        let role = "operator".parse().unwrap();
        let caller = Caller::system("test");
        let site = Self {
            org: issuer.scoped(
                issuer.org(entropy.id(clock.now()), role, caller),
                ObjectScope::ALL,
            ),
            queue: runs,
            user: entropy.id(clock.now()),
            outbox,
            library,
            requests,
            queued,
            tokens: Arc::new(TableTokens::default()),
            clock,
            entropy,
        };
        let installed = site
            .library
            .install(site.org.org_ctx(), "telnet.yaml", PLUGIN.to_vec())
            .await;
        let id = installed.unwrap().plugin.id;
        site.library
            .set_enabled(site.org.org_ctx(), &id, true)
            .await
            .unwrap();
        site.events().await;
        site
    }

    /// An id that nothing has.
    pub(crate) fn id<I: Id>(&self) -> I {
        self.entropy.id(self.now())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A dispatcher over this site's stores.
    pub(crate) fn dispatcher(&self, workers: Arc<dyn Workers>, patience: Duration) -> Dispatcher {
        Dispatcher::new(DispatcherParts {
            queue: self.queue.clone(),
            workers,
            tokens: self.tokens.clone(),
            reader: Arc::new(Files),
            outbox: self.outbox.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            queued: self.queued.clone(),
            parallel: 2,
            patience,
        })
    }

    /// Starts a dispatcher whose workers are doubles of these modes.
    pub(crate) async fn start(
        &self,
        folder: &Path,
        modes: &[&str],
        patience: Duration,
    ) -> RunsTask {
        let workers = Arc::new(ProcessWorkers::new(double(folder, modes)));
        self.dispatcher(workers, patience).start().await.unwrap()
    }

    pub(crate) async fn ask(&self) -> RunId {
        let request = RunRequest {
            facts: FactsFile {
                format: "json".to_owned(),
                bytes: FACTS.to_vec(),
            },
            plugins: None,
            tags: Default::default(),
            idempotency_key: None,
        };
        let run = self.requests.create(&self.org, self.user, request).await;
        run.unwrap().id
    }

    pub(crate) async fn run(&self, id: RunId) -> Run {
        self.requests.get(&self.org, id).await.unwrap().unwrap()
    }

    /// Waits until something holds of a run.
    pub(crate) async fn until(&self, id: RunId, holds: impl Fn(&Run) -> bool) -> Run {
        let wait = async {
            loop {
                let run = self.run(id).await;
                if holds(&run) {
                    return run;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = timeout(BOUND, wait).await;
        match waited {
            Ok(run) => run,
            Err(_) => panic!("waited in vain: {:?}", self.run(id).await),
        }
    }

    /// Waits for the end of a run.
    pub(crate) async fn ended(&self, id: RunId) -> Run {
        self.until(id, |run| run.state.is_final()).await
    }

    pub(crate) async fn cancel(&self, id: RunId) -> CancelOutcome {
        self.requests.cancel(&self.org, id).await.unwrap()
    }

    pub(crate) async fn findings(&self, id: RunId) -> Vec<String> {
        let page = PageRequest::default();
        let found = self.requests.findings(&self.org, id, &page).await;
        let found = found.unwrap().unwrap().items;
        found.into_iter().map(|finding| finding.body).collect()
    }

    /// The events since the last look, each with its reason.
    pub(crate) async fn events(&self) -> Vec<(Action, String)> {
        let events = self.outbox.pending(1_000).await.unwrap();
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        self.outbox.discard(&ids).await.unwrap();
        let told = events.into_iter();
        told.map(|event| (event.action, event.reason.unwrap_or_default()))
            .collect()
    }

    pub(crate) async fn actions(&self) -> Vec<Action> {
        let events = self.events().await.into_iter();
        events.map(|(action, _)| action).collect()
    }
}

/// The command of a double.
pub(crate) fn double(folder: &Path, modes: &[&str]) -> WorkerCommand {
    let mut arguments = vec![folder.into()];
    arguments.extend(modes.iter().map(Into::into));
    WorkerCommand {
        program: env!("CARGO_BIN_EXE_cyprob-plugins-worker-double").into(),
        arguments,
    }
}

/// The process of an attempt, once it has begun.
pub(crate) async fn process(folder: &Path, attempt: usize) -> i32 {
    let path = folder.join(format!("pid-{attempt}"));
    let wait = async {
        loop {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if let Ok(pid) = text.parse() {
                return pid;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(BOUND, wait)
        .await
        .expect("a worker should have begun")
}

/// Waits until a process is gone, or waits for nobody but its parent.
pub(crate) async fn gone(pid: i32) {
    let path = format!("/proc/{pid}/stat");
    let wait = async {
        loop {
            let stat = std::fs::read_to_string(&path).unwrap_or_default();
            let state = stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .trim()
                .chars()
                .next();
            if matches!(state, None | Some('Z' | 'X')) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(BOUND, wait)
        .await
        .expect("the process should be gone");
}
