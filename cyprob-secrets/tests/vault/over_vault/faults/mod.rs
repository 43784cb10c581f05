//! Every fault that was thought of: what a reader of a secret sees of it, and when all is well again.
//!
//! Each row has a place of its own and runs beside the others. A reader keeps its
//! secret fresh for a second and serves it for ten where its source is out of
//! reach, so that a row sees all that there is to see within seconds.

mod aws;
mod proxied;
mod reading;
mod real;

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;

/// After the end of a fault a source is asked again within the longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long a source may take to answer: more than it does on a machine that is busy with the other tests.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Held while a row is set up: all at once is more than the machine does in time.
async fn setting_up() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// One fault.
pub(super) struct Row {
    pub(super) injected: String,
    pub(super) saw: String,
    /// From the end of the fault until the secret was fresh again.
    pub(super) recovery: Duration,
}

impl Row {
    pub(super) fn line(&self) -> String {
        let Self {
            injected,
            saw,
            recovery,
        } = self;
        format!("| {injected} | {saw} | {:.2} s |", recovery.as_secs_f64())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn every_fault_is_seen_as_what_it_is_and_heals() {
    let mut running = JoinSet::new();
    proxied::rows(&mut running);
    real::rows(&mut running);
    aws::rows(&mut running);
    let (mut rows, mut broken) = (Vec::new(), 0);
    while let Some(row) = running.join_next().await {
        match row {
            Ok(row) => rows.push(row),
            // What it saw was printed by its panic; the table is of the others.
            Err(_) => broken += 1,
        }
    }
    rows.sort_by(|a, b| a.injected.cmp(&b.injected));
    println!("| injected | what a reader saw | fresh again after |\n| --- | --- | --- |");
    for row in &rows {
        println!("{}", row.line());
    }
    assert_eq!(broken, 0, "rows without an end");
    for row in &rows {
        // Nothing needs a restart, and nothing waits for longer than the source is left alone.
        assert!(
            row.recovery < LONGEST_PAUSE + Duration::from_secs(2),
            "{}",
            row.injected
        );
    }
    assert!(rows.len() >= 30, "{} rows", rows.len());
}
