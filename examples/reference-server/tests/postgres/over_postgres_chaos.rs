//! Three nodes, one database: changes by many clients while a node is killed and the database is
//! restarted. Afterwards the database and the clients' own records must agree, to the last event.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::Postgres;
use crate::support::database::block_on;
use crate::support::dice::Dice;
use crate::support::judge::{Ledger, judge, read_postgres};
use crate::support::load::{Load, prepare, sign_in};
use crate::support::server::CYPROB;
use crate::support::world::{PASSWORD, login};
use crate::support::{Client, Database, Server};

/// Changes that are tried, by so many clients.
const OPERATIONS: u64 = 10_000;
const CLIENTS: u64 = 64;
/// A revocation is known everywhere within this, or the node answers nobody (the bound of the feed).
const BOUND: Duration = Duration::from_secs(5);
/// The first node to come has given every event its place by then.
const PLACED: Duration = Duration::from_secs(20);
/// Sessions that are open before the load begins: to sign in under it takes its turn among the
/// hashes, and would leave little time for what is watched.
const SESSIONS: usize = 200;
/// Between two revocations.
const PACE: Duration = Duration::from_millis(200);

/// Ends a session at one node, and watches until every node refuses its token.
struct Watch {
    nodes: Vec<Client>,
    tokens: Vec<String>,
    longest: Duration,
    seen: u32,
    /// A node could not be asked, or could not know and said so.
    silent: u32,
}

impl Watch {
    fn look(&mut self, dice: &mut Dice, token: &str) {
        let at = dice.roll(self.nodes.len() as u64) as usize;
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let out = self.nodes[at].try_send("POST", "/api/v1/auth/logout", &headers, None);
        let begun = Instant::now();
        if !out.is_ok_and(|answer| answer.status == 204) {
            self.silent += 1;
            return;
        }
        for node in &self.nodes {
            loop {
                let asked = begun.elapsed();
                let answer = node.try_send("GET", "/api/v1/me", &headers, None);
                match answer.map(|answer| answer.status) {
                    Ok(401) => {
                        self.longest = self.longest.max(begun.elapsed());
                        self.seen += 1;
                        break;
                    }
                    Err(_) | Ok(503) => {
                        self.silent += 1;
                        break;
                    }
                    Ok(_) => assert!(asked < BOUND, "a revoked token is good after {asked:?}"),
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Ends one session after another until it is told to stop.
    fn until(mut self, stop: &AtomicBool, dice: &mut Dice) -> Self {
        while !stop.load(Ordering::Relaxed) {
            let Some(token) = self.tokens.pop() else {
                break;
            };
            self.look(dice, &token);
            std::thread::sleep(PACE);
        }
        self
    }
}

/// Sessions of an account that only the watch knows.
fn sessions(client: &Client, token: &str) -> Vec<String> {
    let body = json!({ "email": "watch@example.com", "role": "viewer" });
    let made = client
        .post("/api/v1/orgs/acme/invitations", token, &body)
        .expect(201)
        .json();
    let body = json!({ "token": made["token"], "name": "Watch", "password": PASSWORD });
    client
        .call("POST", "/api/v1/invitations/accept", None, Some(&body))
        .expect(201);
    let opened = (0..SESSIONS).map(|_| {
        let pair = login(client, "watch@example.com", PASSWORD, None).expect(200);
        pair.json()["access_token"].as_str().unwrap().to_owned()
    });
    opened.collect()
}

fn until(ledger: &Mutex<Ledger>, attempts: u64) {
    while ledger.lock().unwrap().attempts < attempts {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn verify(data: &Path, key: &str) -> usize {
    let logs = std::fs::read_dir(data.join("audit")).unwrap();
    let judged = logs.map(|log| {
        let log = log.unwrap().path();
        let mut command = Command::new(CYPROB);
        command
            .args(["audit", "verify"])
            .arg(&log)
            .args(["--key", key]);
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {told}", log.display());
    });
    judged.count()
}

#[test]
fn three_nodes_lose_nothing_when_one_dies_and_the_database_restarts() {
    let seed = std::env::var("CYPROB_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut postgres = Postgres::start();
    let database = Database::on(&postgres.address());
    let config = format!("failures_at_once_per_address = 1000\n{}", database.config());
    let node = || Server::start_with(&data, &config);
    let mut nodes = vec![node(), node(), node()];
    let founder = nodes.last().unwrap();
    let members = prepare(founder);
    let token = sign_in(&founder.client());
    let watched = sessions(&founder.client(), &token);
    let known = founder
        .client()
        .call("GET", "/.well-known/cyprob", None, None);
    let key = known.expect(200).json()["audit"]["deployment"]["vkey"]
        .as_str()
        .unwrap()
        .to_owned();

    let ledger: Arc<Mutex<Ledger>> = Arc::default();
    let fresh = Arc::new(AtomicU64::new(0));
    let clients: Vec<Client> = nodes.iter().map(Server::client).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let load = Load {
                nodes: clients.clone(),
                token: token.clone(),
                members: members.clone(),
                ledger: Arc::clone(&ledger),
                fresh: Arc::clone(&fresh),
            };
            let mut dice = Dice(seed ^ (n << 8));
            std::thread::spawn(move || {
                while load.ledger.lock().unwrap().attempts < OPERATIONS {
                    load.act(&mut dice);
                }
            })
        })
        .collect();
    let watching = {
        let watch = Watch {
            nodes: clients.clone(),
            tokens: watched,
            longest: Duration::ZERO,
            seen: 0,
            silent: 0,
        };
        let stop = Arc::clone(&stop);
        let mut dice = Dice(seed);
        std::thread::spawn(move || watch.until(&stop, &mut dice))
    };

    let begun = Instant::now();
    until(&ledger, OPERATIONS / 4);
    // The node that writes the logs, or one that does not: the seed says.
    let killed = (seed % 3) as usize;
    nodes.remove(killed).kill();
    until(&ledger, OPERATIONS / 2);
    postgres.kill();
    std::thread::sleep(Duration::from_secs(1));
    postgres.restart();
    for thread in threads {
        thread.join().unwrap();
    }
    let took = begun.elapsed();
    stop.store(true, Ordering::Relaxed);
    let watch = watching.join().unwrap();

    // Every node that is left answers without a restart.
    for node in &nodes {
        login(&node.client(), "ada@example.com", PASSWORD, None).expect(200);
    }
    for node in nodes {
        assert!(node.interrupt().success());
    }
    // The node that ended last may have recorded something after the one that wrote the logs had
    // ended. What waits is placed by whoever comes next.
    let last = Server::start_with(&data, &config);
    let ready = Instant::now();
    while block_on(read_postgres(&database)).waiting > 0 {
        assert!(ready.elapsed() < PLACED, "events wait after {PLACED:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(last.interrupt().success());
    let found = block_on(read_postgres(&database));
    let ledger = ledger.lock().unwrap();
    let faults = judge(&found, &ledger);
    assert!(faults.is_empty(), "seed {seed}: {}", faults.join("\n"));
    assert_eq!(found.waiting, 0, "every event has its place in a log");
    let logs = verify(&data, &key);
    let acknowledged = ledger.acknowledged.len();
    println!(
        "seed {seed}: {} operations by {CLIENTS} clients on 3 nodes in {took:?}, node {killed} killed, \
         the database killed and restarted; {acknowledged} acknowledged, {} events, {logs} logs verified: \
         0 lost, 0 changes without event, 0 events without change",
        ledger.attempts,
        found.events.len(),
    );
    println!(
        "revocations seen by other nodes: {}, the longest after {:?} (bound {BOUND:?}); not to be asked: {}",
        watch.seen, watch.longest, watch.silent
    );
    assert!(
        acknowledged as u64 > OPERATIONS / 5,
        "too little load to show anything"
    );
    assert!(watch.seen >= 50, "too few revocations to show anything");
}
