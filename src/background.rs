//! What a control plane does beside answering requests.

use std::sync::Arc;
use std::time::Duration;

use cyprob_audit::service::SequencerError;
use cyprob_core::domain::ThrottlingPolicy;
use cyprob_core::domain::audit::Action;
use cyprob_core::ports::store::StoreError;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::leading::Leading;
use crate::{ControlPlane, error_chain, keys, org_secrets, post};

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
    leading: Leading,
    following: Option<JoinHandle<()>>,
    post: Vec<JoinHandle<()>>,
    keys: JoinHandle<()>,
    secrets: Option<JoinHandle<()>>,
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
    /// Records the start and begins the work beside requests: writing what was counted, sweeping revocations and counters,
    /// following the plans of the token keys, finishing changes of secrets that were left half done.
    ///
    /// The audit logs and the runs are one process's work at a time; of several
    /// the others wait until they can take it over.
    ///
    /// # Errors
    ///
    /// [`StartError`]; nothing runs then and nothing was changed.
    pub async fn start(&self) -> Result<Background, StartError> {
        let leading = Leading::start(self).await?;
        let following = self.follow();
        let (stop, stopped) = watch::channel(false);
        let post = post::start(self, &self.parts().notifier, &stopped);
        let keys = tokio::spawn(keys::run(self.clone(), stopped.clone()));
        let secrets = self.secrets().cloned();
        let secrets =
            secrets.map(|secrets| tokio::spawn(org_secrets::run(secrets, stopped.clone())));
        let task = tokio::spawn(run(self.clone(), stopped));
        Ok(Background {
            plane: self.clone(),
            stop,
            task,
            leading,
            following,
            post,
            keys,
            secrets,
        })
    }

    /// Begins to hear of what other processes revoke.
    fn follow(&self) -> Option<JoinHandle<()>> {
        let parts = self.parts();
        let others = Arc::clone(parts.others.as_ref()?);
        let (feed, clock) = (Arc::clone(&parts.revocations), Arc::clone(&parts.clock));
        Some(tokio::spawn(
            async move { others.follow(feed, clock).await },
        ))
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
        let _ = self.keys.await;
        if let Some(secrets) = self.secrets {
            let _ = secrets.await;
        }
        for task in self.post {
            let _ = task.await;
        }
        self.plane.access().in_flight().drained().await;
        let logs = self.leading.stop_runs(&self.plane).await;
        let failures = self.plane.identity().flush_failures().await;
        if let Some(following) = self.following {
            following.abort();
        }
        let refusals = self.plane.identity().record_refusals().await.map(drop);
        let recorded = self.plane.record(Action::SystemStopped).await;
        // The logs end last: what was recorded until now is placed, signed and published.
        logs.stop().await;
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
            if plane.parts().audit.leads()
                && let Err(error) = plane.identity().sweep_revocations().await
            {
                tracing::warn!(chain = %error_chain(&error), "revocations were not swept");
            }
            if plane.parts().audit.leads()
                && let Err(error) = plane.access().sweep_uses().await
            {
                tracing::warn!(chain = %error_chain(&error), "spent uses were not swept");
            }
            if let Err(error) = plane.identity().sweep_failures().await {
                tracing::warn!(chain = %error_chain(&error), "failures were not swept");
            }
            if let Err(error) = plane.identity().sweep_email_changes().await {
                tracing::warn!(chain = %error_chain(&error), "changes of addresses were not swept");
            }
        }
    }
}
