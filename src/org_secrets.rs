//! Finishing the changes of organizations' secrets that a process left half done.

use std::time::Duration;

use cyprob_secrets::service::OrgSecrets;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::error_chain;

/// How often is looked for them; a change is left alone for half a minute.
const EVERY: Duration = Duration::from_secs(15);
/// How much longer than a look the pause after it is, up to the longest: where there are many
/// thousand organizations, a store is not kept busy by it.
const REST: u32 = 10;
const LONGEST: Duration = Duration::from_secs(120);
/// How long the trail may take at the end.
const CLOSING: Duration = Duration::from_secs(2);

/// Looks at once, and again until the end is asked for.
pub(crate) async fn run(secrets: OrgSecrets, mut stopped: watch::Receiver<bool>) {
    loop {
        let mut pause = EVERY;
        let round = async {
            let begun = Instant::now();
            let settled = secrets.settle().await;
            pause = (begun.elapsed() * REST).clamp(EVERY, LONGEST);
            match settled {
                Ok(0) => {}
                Ok(count) => tracing::warn!(count, "changes of secrets were finished late"),
                Err(error) => {
                    let chain = error_chain(&error);
                    tracing::error!(%chain, "changes of secrets are not finished yet");
                }
            }
        };
        // The end waits for no store; what was cut off is finished after the next start.
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => break,
            () = round => {}
        }
        if timeout(pause, stopped.wait_for(|stop| *stop)).await.is_ok() {
            break;
        }
    }
    close(&secrets).await;
}

/// Records how often secrets were read, if the trail takes it in time.
async fn close(secrets: &OrgSecrets) {
    match timeout(CLOSING, secrets.close_reads()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let chain = error_chain(&error);
            tracing::error!(%chain, "numbers of reads of secrets are lost");
        }
        Err(_) => tracing::error!("numbers of reads of secrets are lost: the trail is slow"),
    }
}
