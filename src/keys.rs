//! Keeping a process's token keys as their plans say, and their changes in the trail.

use std::time::Duration;

use cyprob_authz::domain::KeyPurpose;
use cyprob_core::ports::EntropyExt as _;
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;

use crate::{ControlPlane, error_chain};

/// How often the plans are read: a key that was revoked elsewhere is good here for this long at most.
const EVERY: Duration = Duration::from_secs(5);
/// How long a custody may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Follows the plans until the end is asked for.
pub(crate) async fn run(plane: ControlPlane, mut stopped: watch::Receiver<bool>) {
    loop {
        follow(&plane).await;
        // The receiver's guard must not live across an await.
        let ended = timeout(EVERY, stopped.wait_for(|stop| *stop)).await.is_ok();
        if ended {
            return;
        }
    }
}

/// Reads the plans once, and records what was changed if nobody else does.
pub(crate) async fn follow(plane: &ControlPlane) {
    let parts = plane.parts();
    let reload = parts.key_rings.reload(parts.clock.now());
    match timeout(PATIENCE, reload).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let chain = error_chain(&error);
            tracing::error!(%chain, "the token keys are not up to date");
        }
        Err(_) => tracing::error!("the custody of the token keys does not answer"),
    }
    if parts.audit.leads() {
        for purpose in KeyPurpose::ALL {
            if let Err(error) = record(plane, purpose).await {
                let chain = error_chain(error.as_ref());
                tracing::error!(%chain, "a change of the token keys is not recorded yet");
            }
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
    let mut events = operations.unrecorded(purpose, at).await?;
    if events.is_empty() {
        return Ok(());
    }
    let waiting: Vec<_> = events.iter().map(|event| event.id).collect();
    for event in &mut events {
        // The log takes an id once; a second attempt must not stop it.
        event.id = parts.entropy.id(event.at);
    }
    parts.store.record(&events).await?;
    operations.recorded(purpose, &waiting, at).await?;
    Ok(())
}
