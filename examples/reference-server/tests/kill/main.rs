//! AUD-1 and the promise behind it: `kill -9` at any time loses no acknowledged
//! change and no event, and leaves no change without event, no event without change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test"
)]

#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::Server;
use support::dice::Dice;
use support::judge::{Found, Ledger, judge, read};
use support::load::{Load, prepare, sign_in};
use support::server::CYPROB;

const KILLS: u32 = 100;
const CLIENTS: u64 = 6;

/// One deployment through many starts, with what its clients were told.
struct Trial {
    _home: tempfile::TempDir,
    data: PathBuf,
    members: Vec<String>,
    ledger: Arc<Mutex<Ledger>>,
    fresh: Arc<AtomicU64>,
    seed: u64,
    rounds: u64,
}

impl Trial {
    fn new() -> Self {
        let seed = std::env::var("CYPROB_SEED")
            .ok()
            .and_then(|s| s.parse().ok());
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let server = Server::start(&data);
        let members = prepare(&server);
        server.kill();
        Self {
            data,
            members,
            ledger: Arc::default(),
            fresh: Arc::default(),
            seed: seed.unwrap_or_else(|| u64::from(std::process::id())),
            rounds: 0,
            _home: home,
        }
    }

    /// A server under load for a while, then its end; what it left is judged.
    fn round(&mut self, end: impl FnOnce(Server)) -> Found {
        self.rounds += 1;
        let mut dice = Dice(self.seed ^ (self.rounds << 32));
        let server = Server::start(&self.data);
        let client = server.client();
        let token = sign_in(&client);
        let stop = Arc::new(AtomicBool::new(false));
        let thread = |n| {
            let load = Load {
                nodes: vec![client.clone()],
                token: token.clone(),
                members: self.members.clone(),
                ledger: Arc::clone(&self.ledger),
                fresh: Arc::clone(&self.fresh),
            };
            let stop = Arc::clone(&stop);
            let mut dice = Dice(self.seed ^ (self.rounds << 8) ^ n);
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    load.act(&mut dice);
                }
            })
        };
        let threads: Vec<_> = (0..CLIENTS).map(thread).collect();
        // So much is done on a slow machine too; then the moment is any.
        let told = || self.ledger.lock().unwrap().acknowledged.len() as u64;
        let enough = told() + dice.roll(35);
        let begun = Instant::now();
        while told() < enough && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(dice.roll(4_000)));
        if self.rounds.is_multiple_of(3) {
            // Long enough for the log's next round to begin, and to be in any part of its work.
            std::thread::sleep(Duration::from_millis(dice.roll(1_300)));
        }
        end(server);
        stop.store(true, Ordering::Relaxed);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        self.judged()
    }

    fn judged(&self) -> Found {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let found = runtime.block_on(read(&self.data.join("cyprob.db")));
        let faults = judge(&found, &self.ledger.lock().unwrap());
        let (seed, round) = (self.seed, self.rounds);
        assert!(
            faults.is_empty(),
            "seed {seed}, round {round}: {}",
            faults.join("\n")
        );
        found
    }

    /// Verifies every published log by the deployment's key.
    fn verify(&self, key: &str) {
        for log in std::fs::read_dir(self.data.join("audit")).unwrap() {
            let log = log.unwrap().path();
            let mut command = Command::new(CYPROB);
            command
                .args(["audit", "verify"])
                .arg(&log)
                .args(["--key", key]);
            let output = command.output().unwrap();
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{}: {told}", log.display());
        }
    }

    fn told(&self, found: &Found) {
        let ledger = self.ledger.lock().unwrap();
        println!(
            "seed {}, {} rounds, {} requests, {} acknowledged, {} events, 0 faults",
            self.seed,
            self.rounds,
            ledger.attempts,
            ledger.acknowledged.len(),
            found.events.len()
        );
    }
}

fn key_of(server: &Server) -> String {
    let known = server
        .client()
        .call("GET", "/.well-known/cyprob", None, None)
        .expect(200)
        .json();
    known["audit"]["deployment"]["vkey"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn aud_1_kill_at_any_time() {
    let mut trial = Trial::new();
    for _ in 0..KILLS {
        trial.round(Server::kill);
    }
    let server = Server::start(&trial.data);
    let key = key_of(&server);
    assert!(server.interrupt().success());
    let found = trial.judged();
    trial.verify(&key);
    trial.told(&found);
    let acknowledged = trial.ledger.lock().unwrap().acknowledged.len();
    assert!(acknowledged > 1_000, "too little load to show anything");
}

#[test]
fn ctrl_c_under_load_leaves_nothing_undone() {
    let mut trial = Trial::new();
    for _ in 0..5 {
        let mut key = String::new();
        let found = trial.round(|server| {
            key = key_of(&server);
            assert!(server.interrupt().success());
        });
        assert_eq!(found.waiting, 0, "every event has its place in a log");
        trial.verify(&key);
        trial.told(&found);
    }
}
