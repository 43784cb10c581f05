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

mod judge;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use judge::{Found, judge, read};
use serde_json::{Value, json};
use support::server::CYPROB;
use support::world::{PASSWORD, login};
use support::{Client, Server};

const KILLS: u32 = 100;
const CLIENTS: u64 = 6;

/// A small generator; its seed is printed, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What the clients were told.
#[derive(Default)]
struct Ledger {
    /// Requests that were answered with success, with the action that each must have left.
    acknowledged: Vec<(String, &'static str)>,
    attempts: u64,
}

struct Load {
    client: Client,
    token: String,
    members: Vec<String>,
    ledger: Arc<Mutex<Ledger>>,
    fresh: Arc<AtomicU64>,
}

impl Load {
    /// One change, or half of one.
    fn act(&self, dice: &mut Dice) {
        let org = "/api/v1/orgs/acme";
        let n = self.fresh.fetch_add(1, Ordering::Relaxed);
        let bearer = Some(self.token.as_str());
        match dice.roll(10) {
            0..=2 => {
                let body = json!({ "email": format!("x{n}@example.com"), "role": "viewer" });
                let made = self.tell(
                    "POST",
                    &format!("{org}/invitations"),
                    bearer,
                    Some(&body),
                    "invitation.created",
                );
                if let Some(made) = made.filter(|_| dice.roll(2) == 0) {
                    let path = format!("{org}/invitations/{}", made["id"].as_str().unwrap());
                    self.tell("DELETE", &path, bearer, None, "invitation.revoked");
                }
            }
            3..=5 => {
                let role = ["viewer", "analyst", "operator", "auditor"][dice.roll(4) as usize];
                let user = &self.members[dice.roll(self.members.len() as u64) as usize];
                let path = format!("{org}/members/{user}");
                self.tell(
                    "PUT",
                    &path,
                    bearer,
                    Some(&json!({ "role": role })),
                    "member.role_changed",
                );
            }
            6..=7 => {
                let body = json!({ "name": format!("Name {n}") });
                self.tell("PATCH", org, bearer, Some(&body), "org.updated");
            }
            8 => {
                let email = format!("m{}@example.com", dice.roll(self.members.len() as u64));
                let body = json!({ "email": email, "password": PASSWORD });
                let pair = self.tell(
                    "POST",
                    "/api/v1/auth/login",
                    None,
                    Some(&body),
                    "session.opened",
                );
                if let Some(pair) = pair {
                    let token = pair["access_token"].as_str();
                    self.tell("POST", "/api/v1/auth/logout", token, None, "session.closed");
                }
            }
            _ => {
                let body = json!({ "email": "nobody@example.com", "password": "wrong" });
                let _ = self.client.try_send(
                    "POST",
                    "/api/v1/auth/login",
                    &[("content-type", "application/json")],
                    Some(body.to_string().as_bytes()),
                );
            }
        }
    }

    fn tell(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
        action: &'static str,
    ) -> Option<Value> {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let text = body.map(ToString::to_string);
        self.ledger.lock().unwrap().attempts += 1;
        let answer = self
            .client
            .try_send(method, path, &headers, text.as_deref().map(str::as_bytes))
            .ok()?;
        let done = (200..300).contains(&answer.status);
        assert!(
            done || answer.status < 500 || answer.status == 503,
            "{} {}",
            answer.status,
            answer.text()
        );
        // Setting the role that is held already changes nothing and leaves no event.
        let id = answer.header("x-request-id").filter(|_| done)?.to_owned();
        self.ledger.lock().unwrap().acknowledged.push((id, action));
        Some(answer.json())
    }
}

fn prepare(server: &Server) -> Vec<String> {
    let client = server.client();
    let body = json!({
        "token": server.bootstrap_token(), "email": "ada@example.com", "password": PASSWORD,
        "name": "Ada", "org": { "slug": "acme", "name": "Acme" },
    });
    client
        .call("POST", "/api/v1/bootstrap", None, Some(&body))
        .expect(201);
    let token = sign_in(&client);
    let member = |n: u32| {
        let body = json!({ "email": format!("m{n}@example.com"), "role": "viewer" });
        let made = client
            .post("/api/v1/orgs/acme/invitations", &token, &body)
            .expect(201)
            .json();
        let body = json!({ "token": made["token"], "name": "M", "password": PASSWORD });
        let answer = client
            .call("POST", "/api/v1/invitations/accept", None, Some(&body))
            .expect(201);
        answer.json()["user"]["id"].as_str().unwrap().to_owned()
    };
    (0..4).map(member).collect()
}

fn sign_in(client: &Client) -> String {
    let pair = login(client, "ada@example.com", PASSWORD, None)
        .expect(200)
        .json();
    pair["access_token"].as_str().unwrap().to_owned()
}

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
                client: client.clone(),
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
