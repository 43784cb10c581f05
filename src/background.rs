//! What a control plane does beside answering requests.

use std::time::Duration;

use cyprob_audit::service::SequencerError;
use cyprob_core::domain::ThrottlingPolicy;
use cyprob_core::domain::audit::Action;
use cyprob_core::ports::store::StoreError;
use cyprob_plugins::service::runs::RunsTask;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::ControlPlane;
use crate::audit_log::Audit;
use crate::error_chain;

/// How often counted failures are written.
const ROUND: Duration = ThrottlingPolicy::FLUSH_EVERY;
/// How many rounds lie between two writes of counted refusals.
const ROUNDS_PER_REFUSALS: u32 = 2;
/// How many rounds lie between two sweeps of revocations and counters.
const ROUNDS_PER_SWEEP: u32 = 60;

/// The work beside requests; end it with [`stop`](Self::stop), or an orderly end is not recorded.
#[derive(Debug)]
pub struct Background {
    plane: ControlPlane,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    audit_stop: watch::Sender<bool>,
    audit: JoinHandle<()>,
    runs: Option<RunsTask>,
    sink_stop: watch::Sender<bool>,
    sinks: Vec<JoinHandle<()>>,
}

/// Why the work beside requests does not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store and the published audit logs do not belong together.
    #[error(transparent)]
    Audit(#[from] SequencerError),
    /// The start cannot be recorded.
    #[error("the start cannot be recorded")]
    Store(#[from] StoreError),
}

impl ControlPlane {
    /// Records the start and begins the work beside requests: writing what was counted, sweeping revocations and counters.
    ///
    /// # Errors
    ///
    /// [`StartError`]; nothing runs then and nothing was changed.
    pub async fn start(&self) -> Result<Background, StartError> {
        match self.parts().audit.recover().await {
            Err(error) if error.is_final() => return Err(error.into()),
            // A disk that is full, for example: the work goes on when it is not.
            Err(error) => {
                let chain = error_chain(&error);
                tracing::error!(%chain, "the audit logs are not up to date yet");
            }
            Ok(()) => {}
        }
        self.record(Action::SystemStarted).await?;
        let runs = self.parts().plugin_runs.start().await?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(self.clone(), stopped));
        let (audit_stop, stopped) = watch::channel(false);
        let (sink_stop, sinks_stopped) = watch::channel(false);
        let sinks = Audit::start_sinks(self, &sinks_stopped);
        let plane = self.clone();
        let audit = tokio::spawn(async move { plane.parts().audit.run(stopped).await });
        Ok(Background {
            plane: self.clone(),
            stop,
            task,
            audit_stop,
            audit,
            runs,
            sink_stop,
            sinks,
        })
    }
}

impl Background {
    /// Waits for the changes that run, writes what was counted and records the end.
    ///
    /// Call it when no request comes in any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the end cannot be recorded.
    pub async fn stop(self) -> Result<(), StoreError> {
        self.stop.send_replace(true);
        // The task only ends early by a panic, which it has logged.
        let _ = self.task.await;
        self.plane.access().in_flight().drained().await;
        if let Some(runs) = self.runs {
            runs.stop().await;
        }
        let failures = self.plane.identity().flush_failures().await;
        let refusals = self.plane.identity().record_refusals().await.map(drop);
        let recorded = self.plane.record(Action::SystemStopped).await;
        // The logs end last: what was recorded until now is placed, signed and published.
        self.audit_stop.send_replace(true);
        let _ = self.audit.await;
        self.sink_stop.send_replace(true);
        for sink in self.sinks {
            let _ = sink.await;
        }
        failures.and(refusals).and(recorded)
    }
}

async fn run(plane: ControlPlane, mut stopped: watch::Receiver<bool>) {
    let mut round = 0_u32;
    loop {
        // The receiver's guard must not live across an await.
        let ended = timeout(ROUND, stopped.wait_for(|stop| *stop)).await.is_ok();
        if ended {
            return;
        }
        round = round.wrapping_add(1);
        if let Err(error) = plane.identity().flush_failures().await {
            tracing::error!(chain = %error_chain(&error), "failures were not stored");
        }
        if round.is_multiple_of(ROUNDS_PER_REFUSALS)
            && let Err(error) = plane.identity().record_refusals().await
        {
            tracing::error!(chain = %error_chain(&error), "refusals were not recorded");
        }
        if round.is_multiple_of(ROUNDS_PER_SWEEP) {
            plane.parts().revocations.sweep();
            if let Err(error) = plane.identity().sweep_revocations().await {
                tracing::warn!(chain = %error_chain(&error), "revocations were not swept");
            }
            if let Err(error) = plane.identity().sweep_failures().await {
                tracing::warn!(chain = %error_chain(&error), "failures were not swept");
            }
        }
    }
}
