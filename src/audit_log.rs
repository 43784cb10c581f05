//! The audit logs of a control plane: placing, signing and publishing what was recorded.

use std::sync::Arc;
use std::time::Duration;

use cyprob_audit::domain::{LogSigner, Origins, VerifierKey};
use cyprob_audit::ports::EventSink;
use cyprob_audit::service::{AuditTrail, Sequencer, SequencerError, SinkPump};
use cyprob_core::ports::{Clock, Term};
use secrecy::SecretBox;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::wiring::Fenced;
use crate::{ControlPlane, Stores, error_chain};

/// How often is looked at the outbox, where other processes record too, and after a sink, without being told to.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How far apart rounds begin: each signs and syncs, whatever it places, so what comes meanwhile gathers.
const GATHER: Duration = Duration::from_secs(1);
/// The first and the longest wait after a failure.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// The one sequencer of a deployment, and the names and keys of its logs.
#[derive(Debug)]
pub(crate) struct Audit {
    sequencer: Sequencer,
    files: Arc<Fenced>,
    origins: Origins,
    recorded: watch::Receiver<u64>,
    verifier: VerifierKey,
    trail: AuditTrail,
    sinks: Vec<SinkPump>,
    placed: watch::Sender<u64>,
}

impl Audit {
    pub(crate) fn new(
        stores: &Stores,
        clock: Arc<dyn Clock>,
        origins: Origins,
        seed: SecretBox<[u8; 32]>,
        sinks: Vec<Arc<dyn EventSink>>,
    ) -> Self {
        let deployment = LogSigner::from_seed(origins.deployment().clone(), &seed);
        let verifier = deployment.verifier().clone();
        let trail = AuditTrail::new(
            Arc::clone(&stores.log),
            Arc::clone(&stores.subject_keys),
            Arc::clone(&stores.published),
            origins.clone(),
            verifier.clone(),
        );
        let pump = |sink| {
            SinkPump::new(
                Arc::clone(&stores.log),
                trail.clone(),
                origins.clone(),
                sink,
            )
        };
        let sinks = sinks.into_iter().map(pump).collect();
        let files = Arc::new(Fenced::new(Arc::clone(&stores.tiles)));
        let sequencer = Sequencer::new(
            Arc::clone(&stores.log),
            Arc::clone(&stores.subject_keys),
            Arc::clone(&files) as _,
            clock,
            origins.clone(),
            seed,
        );
        Self {
            sequencer,
            files,
            origins,
            recorded: stores.recorded.clone(),
            verifier,
            trail,
            sinks,
            placed: watch::Sender::new(0),
        }
    }

    pub(crate) const fn trail(&self) -> &AuditTrail {
        &self.trail
    }

    /// The names of the logs.
    pub(crate) const fn origins(&self) -> &Origins {
        &self.origins
    }

    /// The deployment's verifier key, from which that of each log follows.
    pub(crate) fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    /// Places, signs and publishes until the end is asked for.
    pub(crate) async fn run(&self, mut stopped: watch::Receiver<bool>) {
        let mut recorded = self.recorded.clone();
        let mut wait = RETRY.0;
        let mut recovered = false;
        let mut failing = false;
        loop {
            let ended = *stopped.borrow_and_update();
            let gathered = sleep(GATHER);
            match self.round(&mut recovered).await {
                Ok(()) => {
                    if std::mem::take(&mut failing) {
                        tracing::info!("the audit logs go on");
                    }
                    wait = RETRY.0;
                    if ended {
                        return;
                    }
                    let due = async {
                        // Either ends the wait, and so does a closed channel.
                        let _ = timeout(LOOK_EVERY, recorded.changed()).await;
                        gathered.await;
                    };
                    tokio::select! {
                        () = due => {}
                        _ = stopped.changed() => {}
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        let chain = error_chain(&error);
                        tracing::error!(%chain, "the audit logs stand still");
                    }
                    if ended {
                        return;
                    }
                    tokio::select! {
                        () = sleep(wait) => {}
                        _ = stopped.changed() => {}
                    }
                    wait = (wait * 2).min(RETRY.1);
                }
            }
        }
    }

    /// Delivers to one sink until the end is asked for, then what is left; a sink that fails delays no other and no request.
    async fn deliver(&self, sink: &SinkPump, mut stopped: watch::Receiver<bool>) {
        let mut placed = self.placed.subscribe();
        let mut wait = RETRY.0;
        let mut failing = false;
        loop {
            let ended = *stopped.borrow_and_update();
            match sink.round().await {
                Ok(_) if ended => return,
                Ok(_) => {
                    if std::mem::take(&mut failing) {
                        tracing::info!("the audit sink goes on");
                    }
                    wait = RETRY.0;
                    tokio::select! {
                        _ = timeout(LOOK_EVERY, placed.changed()) => {}
                        _ = stopped.changed() => {}
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        let chain = error_chain(&error);
                        tracing::error!(%chain, "an audit sink stands still");
                    }
                    if ended {
                        // It goes on from its cursor at the next start.
                        return;
                    }
                    tokio::select! {
                        () = sleep(wait) => {}
                        _ = stopped.changed() => {}
                    }
                    wait = (wait * 2).min(RETRY.1);
                }
            }
        }
    }

    /// Begins to deliver to every sink; each has a task of its own.
    pub(crate) fn start_sinks(
        plane: &ControlPlane,
        stopped: &watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let count = plane.parts().audit.sinks.len();
        let task = |number: usize| {
            let (plane, stopped) = (plane.clone(), stopped.clone());
            tokio::spawn(async move {
                let audit = &plane.parts().audit;
                if let Some(sink) = audit.sinks.get(number) {
                    audit.deliver(sink, stopped).await;
                }
            })
        };
        (0..count).map(task).collect()
    }

    /// Takes the logs over from whoever led before.
    pub(crate) async fn take_over(&self, term: Arc<dyn Term>) {
        self.files.hold(Some(term));
        self.sequencer.take_over().await;
    }

    /// Writes no file any more: another process may.
    pub(crate) fn hand_over(&self) {
        self.files.hold(None);
    }

    /// Whether the logs are this process's to write.
    pub(crate) fn leads(&self) -> bool {
        self.files.is_held()
    }

    /// Brings the files up to the store, or says that the two do not belong together.
    ///
    /// # Errors
    ///
    /// [`SequencerError`].
    pub(crate) async fn recover(&self) -> Result<(), SequencerError> {
        self.sequencer.recover().await
    }

    /// Everything that waits.
    async fn round(&self, recovered: &mut bool) -> Result<(), SequencerError> {
        if !*recovered {
            self.sequencer.recover().await?;
            *recovered = true;
        }
        while self.sequencer.step().await?.more {}
        self.placed
            .send_modify(|round| *round = round.wrapping_add(1));
        Ok(())
    }
}
