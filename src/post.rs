//! Sending what waits to be sent, beside every request.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::ports::Notifier;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{ControlPlane, error_chain};

/// How often is looked at what waits, without being told to.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a request for mail rests before its work begins, so that the work of
/// an account that exists takes nothing from the answer to whoever asked.
const REST: Duration = Duration::from_millis(500);
/// Senders at work at once: one that waits for a slow server does not hold up all others.
const SENDERS: usize = 4;

/// Begins to answer requests for mail and to send what waits. A sender that is
/// in the midst of a message at the end is not waited for: a notice is sent
/// again, a token is asked for again.
pub(crate) fn start(
    plane: &ControlPlane,
    notifier: &Arc<dyn Notifier>,
    stopped: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let mut tasks = vec![tokio::spawn(answer(plane.clone(), stopped.clone()))];
    for _ in 0..SENDERS {
        let (plane, notifier) = (plane.clone(), Arc::clone(notifier));
        tasks.push(tokio::spawn(send(plane, notifier, stopped.clone())));
    }
    tasks
}

async fn answer(plane: ControlPlane, mut stopped: watch::Receiver<bool>) {
    loop {
        if let Err(error) = plane.identity().answer_asks().await {
            tracing::error!(chain = %error_chain(&error), "a request for mail was lost");
            continue;
        }
        tokio::select! {
            // Either ends the wait, and so does a closed channel.
            _ = timeout(LOOK_EVERY, plane.identity().post_came()) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        tokio::time::sleep(REST).await;
    }
}

async fn send(
    plane: ControlPlane,
    notifier: Arc<dyn Notifier>,
    mut stopped: watch::Receiver<bool>,
) {
    let round = async {
        loop {
            plane.identity().send_letters(notifier.as_ref()).await;
            if let Err(error) = plane.identity().send_notices(notifier.as_ref()).await {
                tracing::error!(chain = %error_chain(&error), "notices were not sent");
            }
            tokio::time::sleep(LOOK_EVERY / 4).await;
        }
    };
    tokio::select! {
        () = round => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}
