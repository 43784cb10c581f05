//! Keeping a process's token keys as their plans say, and in the trail their changes and what operators did.

use std::time::Duration;

use cyprob_authz::domain::KeyPurpose;
use cyprob_core::ports::EntropyExt as _;
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};

use crate::{ControlPlane, error_chain, operator_journal};

/// How often the plans are read: a key that was revoked elsewhere is good here for this long at most.
const EVERY: Duration = Duration::from_secs(5);
/// How long the changes of a ring may take on their way to the trail.
const PATIENCE: Duration = Duration::from_secs(10);

/// Follows the plans until the end is asked for.
pub(crate) async fn run(plane: ControlPlane, mut stopped: watch::Receiver<bool>) {
    loop {
        let round = async {
            follow(&plane).await;
            sleep(EVERY).await;
        };
        // The end waits for no custody; what was cut off between is recorded again.
        tokio::select! {
            biased;
            () = told(&mut stopped) => return,
            () = round => {}
        }
    }
}

/// Returns when the end is asked for, or nobody is left who could.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Reads the plans once, and records what was changed if nobody else does.
pub(crate) async fn follow(plane: &ControlPlane) {
    let parts = plane.parts();
    if let Err(error) = parts.key_rings.reload(parts.clock.now()).await {
        let chain = error_chain(&error);
        tracing::error!(%chain, "the token keys are not up to date");
    }
    if parts.audit.leads() {
        for purpose in KeyPurpose::ALL {
            let recorded = timeout(PATIENCE, record(plane, purpose)).await;
            if let Err(error) = recorded.unwrap_or_else(|late| Err(late.into())) {
                let chain = error_chain(error.as_ref());
                tracing::error!(%chain, "a change of the token keys is not recorded yet");
            }
        }
        let recorded = timeout(PATIENCE, operator_journal::record(plane)).await;
        if let Err(error) = recorded.unwrap_or_else(|late| Err(late.into())) {
            let chain = error_chain(error.as_ref());
            tracing::error!(%chain, "what an operator did is not recorded yet");
        }
    }
}

/// One at a time in this process; in others nobody does while this one leads.
#[derive(Debug, Default)]
pub(crate) struct Recording(Mutex<()>);

/// Puts the events that wait beside a plan in the trail, then forgets them there.
///
/// A process that ends between the two records them again, under other ids.
async fn record(
    plane: &ControlPlane,
    purpose: KeyPurpose,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let parts = plane.parts();
    let _turn = parts.recording.0.lock().await;
    let at = parts.clock.now();
    let operations = parts.key_rings.operations();
    let (mut waiting, mut events, mut unread) = (Vec::new(), Vec::new(), None);
    for one in operations.unrecorded(purpose, at).await? {
        match one.event() {
            Ok(mut event) => {
                // The log takes an id once; a second attempt must not stop it.
                event.id = parts.entropy.id(event.at);
                events.push(event);
                waiting.push(one);
            }
            // It waits on, for a version that knows it.
            Err(error) => unread = Some(error),
        }
    }
    if !events.is_empty() {
        parts.store.record(&events).await?;
        operations.recorded(purpose, &waiting, at).await?;
    }
    unread.map_or(Ok(()), |error| Err(error.into()))
}
