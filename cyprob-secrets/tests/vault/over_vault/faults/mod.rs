//! Every fault that was thought of: what a reader of a secret sees of it, and when all is well again.
//!
//! Each row has a place of its own and runs beside the others. A reader keeps its
//! secret fresh for a second and serves it for ten where its source is out of
//! reach, so that a row sees all that there is to see within seconds.

mod aws;
mod cluster;
mod proxied;
mod reading;
mod real;

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::task::{JoinError, JoinHandle};

/// After the end of a fault a source is asked again within the longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long a source may take to answer: more than it does on a machine that is busy with the other tests.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How often a fault is made alone that did not end as it should beside the others.
const ALONE: usize = 2;

/// Of how many faults that may be so: of more it is not the machine.
const MOST_AGAIN: usize = 10;

/// Held while a row is set up: all at once is more than the machine does in time.
async fn setting_up() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

type Running = Pin<Box<dyn Future<Output = Row> + Send>>;

/// A fault that can be made, each time in a place of its own.
struct Trial {
    injected: String,
    run: Box<dyn Fn() -> Running>,
}

impl Trial {
    fn new<F>(injected: impl Into<String>, run: impl Fn() -> F + 'static) -> Self
    where
        F: Future<Output = Row> + Send + 'static,
    {
        Self {
            injected: injected.into(),
            run: Box::new(move || Box::pin(run())),
        }
    }

    fn start(&self) -> JoinHandle<Row> {
        tokio::spawn((self.run)())
    }
}

/// What came of a fault.
pub(super) struct Row {
    pub(super) saw: String,
    /// From the end of the fault until the secret was fresh again.
    pub(super) recovery: Duration,
}

impl Row {
    pub(super) fn line(&self, injected: &str) -> String {
        let recovery = self.recovery.as_secs_f64();
        format!("| {injected} | {} | {recovery:.2} s |", self.saw)
    }
}

/// The row of a fault that was seen as what it is and healed in time, or why it was not.
fn ended(running: Result<Row, JoinError>) -> Result<Row, String> {
    let row = running.map_err(|error| {
        let panic = error.into_panic();
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| format!("{:?}", panic.downcast_ref::<&str>()))
    })?;
    // Nothing needs a restart, and nothing waits for longer than the source is left alone;
    // beyond that, one call may be on its way.
    match row.recovery < LONGEST_PAUSE + TIMEOUT {
        true => Ok(row),
        false => Err(format!("fresh again after {:?}", row.recovery)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn every_fault_is_seen_as_what_it_is_and_heals() {
    let mut trials = proxied::trials();
    trials.extend(real::trials());
    trials.extend(cluster::trials());
    trials.extend(aws::trials());
    trials.sort_by(|a, b| a.injected.cmp(&b.injected));
    let beside: Vec<_> = trials.iter().map(Trial::start).collect();
    let (mut lines, mut again) = (Vec::new(), Vec::new());
    for (trial, running) in trials.iter().zip(beside) {
        match ended(running.await) {
            Ok(row) => lines.push(row.line(&trial.injected)),
            Err(why) => {
                println!("attempt 1 of {}: {why}", trial.injected);
                again.push(trial);
            }
        }
    }
    let attempts = match again.len() <= MOST_AGAIN {
        true => 2..2 + ALONE,
        false => 2..2,
    };
    let mut broken = Vec::new();
    'trials: for trial in again {
        for attempt in attempts.clone() {
            match ended(trial.start().await) {
                Ok(row) => {
                    let line = row.line(&trial.injected);
                    lines.push(format!("{line} at attempt {attempt}"));
                    continue 'trials;
                }
                Err(why) => println!("attempt {attempt} of {}: {why}", trial.injected),
            }
        }
        broken.push(&trial.injected);
    }
    lines.sort_unstable();
    println!("| injected | what a reader saw | fresh again after |\n| --- | --- | --- |");
    println!("{}", lines.join("\n"));
    assert!(broken.is_empty(), "not as they should be: {broken:?}");
    assert_eq!(lines.len(), 47);
}
