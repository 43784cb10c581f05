//! Sending what waits to be sent, beside every request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cyprob_core::ports::Notifier;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::{ControlPlane, error_chain};

/// How often is looked at what waits, without being told to.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a request for mail rests before its work begins, so that the work of
/// an account that exists takes nothing from the answer to whoever asked.
const REST: Duration = Duration::from_millis(500);
/// How often one of the senders looks for notices in the store.
const LOOK_FOR_NOTICES: Duration = Duration::from_millis(250);
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
    let looks = Arc::new(Looks::default());
    for _ in 0..SENDERS {
        let (plane, notifier) = (plane.clone(), Arc::clone(notifier));
        let looks = Arc::clone(&looks);
        tasks.push(tokio::spawn(send(plane, notifier, looks, stopped.clone())));
    }
    tasks
}

/// When the store is looked at next: by whichever sender is free then.
#[derive(Default)]
struct Looks(Mutex<Option<Instant>>);

impl Looks {
    /// Whether to look now; whoever is told so is the only one for a while.
    fn are_due(&self) -> bool {
        let now = Instant::now();
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = next.is_none_or(|next| next <= now);
        if due {
            *next = Some(now + LOOK_FOR_NOTICES);
        }
        due
    }
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
    looks: Arc<Looks>,
    mut stopped: watch::Receiver<bool>,
) {
    let round = async {
        loop {
            plane.identity().send_letters(notifier.as_ref()).await;
            if looks.are_due()
                && let Err(error) = plane.identity().send_notices(notifier.as_ref()).await
            {
                tracing::error!(chain = %error_chain(&error), "notices were not sent");
            }
            tokio::time::sleep(LOOK_FOR_NOTICES).await;
        }
    };
    tokio::select! {
        () = round => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_sender_looks_each_time_and_none_is_needed_for_the_next() {
        let looks = Looks::default();
        for _ in 0..3 {
            let told: Vec<_> = (0..SENDERS).map(|_| looks.are_due()).collect();
            assert_eq!(told.iter().filter(|due| **due).count(), 1);
            tokio::time::advance(LOOK_FOR_NOTICES - Duration::from_millis(1)).await;
            assert!(!looks.are_due());
            // Whoever looked last may be busy with a slow server for ever.
            tokio::time::advance(Duration::from_millis(1)).await;
        }
    }
}
