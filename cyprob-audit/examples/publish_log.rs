//! Publishes a log step by step, for tests that kill it in between.
//!
//! `publish_log DIR STEP LAST` goes on from what `DIR/system` holds, STEP
//! entries at a time up to LAST, and prints the size after each publication
//! that returned. Entry N is the text `entry N`. The key is fixed.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

use cyprob_audit::adapters::directory::{DirectoryLog, DirectorySink};
use cyprob_audit::domain::{Checkpoint, KeyName, LogId, LogSigner, TreeTail};
use cyprob_audit::ports::TileSink as _;
use cyprob_audit::service::resume_tail;
use secrecy::SecretBox;

fn main() -> Result<(), Box<dyn Error>> {
    // Without an I/O driver: a fault injected into its wake-up call would only hang the runtime.
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(publish())
}

async fn publish() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().ok_or("usage: publish_log DIR STEP LAST");
    let directory = PathBuf::from(next()?);
    let (step, last): (usize, u64) = (next()?.parse()?, next()?.parse()?);
    let origin: KeyName = "crash.example/system".parse()?;
    let signer = LogSigner::from_seed(origin.clone(), &SecretBox::new(Box::new([3; 32])));
    let vkey = directory.join("vkey");
    if !vkey.exists() {
        std::fs::write(vkey, signer.verifier().to_string())?;
    }
    let sink = DirectorySink::new(&directory);
    let mut tail = match sink.checkpoint(LogId::System).await? {
        None => TreeTail::empty(),
        Some(_) => {
            let files = DirectoryLog::open(&sink.path_of(LogId::System))?;
            resume_tail(&files, signer.verifier())?
                .ok_or("the checkpoint is gone")?
                .0
        }
    };
    while tail.size() < last {
        let entries: Vec<_> = (tail.size()..last)
            .take(step)
            .map(|n| format!("entry {n}").into_bytes())
            .collect();
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let files = tail.append(&entries)?;
        let head = Checkpoint::new(origin.clone(), tail.size(), tail.root());
        let signed = head.sign(&signer).ok_or("the signer is of another log")?;
        sink.publish(LogId::System, files, signed.into_bytes())
            .await?;
        writeln!(std::io::stdout(), "{}", tail.size())?;
    }
    Ok(())
}
