//! AUTH-3: a login flood never raises the p99 of other routes more than twice, nor memory past its bound.
//!
//! 200 clients, each on a connection that stays open, send wrong passwords for
//! names that change from request to request, each as fast as it is answered.
//! Beside them one client asks for a protected route and measures each answer,
//! in turns while the flood runs and while it is held back.
//!
//! Server and clients share this machine. The flood's clients run at the lowest
//! priority, so that what is measured is the server under the flood and not the
//! wait of the measuring client for a core behind 200 others; a flood from
//! elsewhere has cores of its own and costs the server none. What the flood sent
//! meanwhile is printed, and the test fails if it was little.
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

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use support::server::Server;
use support::world::{PASSWORD, found, login};

const CLIENTS: u64 = 200;
const ROUNDS: usize = 11;
const PROBES: usize = 150;
/// How much more memory the server may have at its peak than before the flood.
const MEMORY_MIB: u64 = 96;

/// One connection that stays open.
struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    fn connect(server: &Server) -> Self {
        let address = server.url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        // The server itself ends a request after a minute.
        let patience = Some(Duration::from_secs(90));
        stream.set_read_timeout(patience).unwrap();
        Self {
            stream,
            buffer: Vec::with_capacity(4096),
        }
    }

    /// Sends a request and reads the whole answer; its status.
    fn ask(&mut self, request: &str) -> u16 {
        self.stream.write_all(request.as_bytes()).unwrap();
        self.buffer.clear();
        let mut part = [0; 4096];
        loop {
            let read = self.stream.read(&mut part).unwrap();
            assert!(read > 0, "the connection closed");
            self.buffer.extend(&part[..read]);
            let text = String::from_utf8_lossy(&self.buffer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return head[9..12].parse().unwrap();
            }
        }
    }
}

fn wrong_login(number: u64) -> String {
    let body =
        json!({ "email": format!("p{number}@example.com"), "password": "a wrong pass phrase" });
    let body = body.to_string();
    format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A line of the process' status, in MiB.
fn memory(server: &Server, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(what));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<u64>().unwrap() / 1_024
}

fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// What is shared by those who flood.
#[derive(Default)]
struct Flood {
    on: AtomicBool,
    ended: AtomicBool,
    sent: AtomicU64,
    answers: Mutex<BTreeMap<u16, u64>>,
}

impl Flood {
    fn run(&self, server: &Server) {
        // On Linux this is the calling thread alone.
        rustix::process::setpriority_process(None, 19).unwrap();
        let mut wire = Wire::connect(server);
        let mut answers = BTreeMap::new();
        while !self.ended.load(Ordering::Relaxed) {
            if !self.on.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            *answers.entry(wire.ask(&wrong_login(number))).or_insert(0) += 1;
        }
        let mut all = self.answers.lock().unwrap();
        for (status, count) in answers {
            *all.entry(status).or_insert(0) += count;
        }
    }
}

/// What the measuring client saw.
#[derive(Default)]
struct Seen {
    idle: Vec<Duration>,
    flooded: Vec<Duration>,
    all_idle: Vec<Duration>,
    all_flooded: Vec<Duration>,
}

fn probe(server: &Server, flood: &Flood, token: &str) -> Seen {
    let request =
        format!("GET /api/v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    let mut wire = Wire::connect(server);
    let mut measured = || {
        let mut times: Vec<_> = (0..PROBES)
            .map(|_| {
                std::thread::sleep(Duration::from_millis(2));
                let begun = Instant::now();
                assert_eq!(wire.ask(&request), 200);
                begun.elapsed()
            })
            .collect();
        (p99(&mut times), times)
    };
    measured();
    let mut seen = Seen::default();
    for round in 0..ROUNDS {
        let mut measure = |on: bool| {
            flood.on.store(on, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(300));
            let (p99, times) = measured();
            let (ends, all) = if on {
                (&mut seen.flooded, &mut seen.all_flooded)
            } else {
                (&mut seen.idle, &mut seen.all_idle)
            };
            ends.push(p99);
            all.extend(times);
        };
        measure(round % 2 == 1);
        measure(round % 2 == 0);
    }
    flood.on.store(false, Ordering::Relaxed);
    flood.ended.store(true, Ordering::Relaxed);
    seen
}

/// One flood at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Floods a server of this configuration; the answers that the flood got.
fn flooded(what: &str, config: &str) -> BTreeMap<u16, u64> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = tempfile::tempdir().unwrap();
    let server = Server::start_with(&home.path().join("data"), config);
    let client = server.client();
    found(&server, "root@example.com");
    let signed_in = login(&client, "root@example.com", PASSWORD, None).expect(200);
    let token = signed_in.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = memory(&server, "VmRSS:");
    let flood = Flood::default();
    let begun = Instant::now();
    let mut seen = std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| flood.run(&server));
        }
        scope
            .spawn(|| probe(&server, &flood, &token))
            .join()
            .unwrap()
    });
    let peak = memory(&server, "VmHWM:");
    let sent = flood.sent.load(Ordering::Relaxed);
    let answers = flood.answers.into_inner().unwrap();
    let [idle, under] = [median(&mut seen.idle), median(&mut seen.flooded)];
    let ratio = under.as_secs_f64() / idle.as_secs_f64();
    println!(
        "AUTH-3, {what}: p99 of GET /api/v1/me, median of {ROUNDS} rounds of {PROBES}: idle {idle:?}, \
         under the flood {under:?}, ratio {ratio:.2}\n  all rounds together: medians {:?} and {:?}, \
         p99 {:?} and {:?}\n  {sent} logins of {CLIENTS} clients in {:?}, half of it held back: {answers:?}\n  \
         memory {before} MiB before, {peak} MiB at its peak",
        median(&mut seen.all_idle),
        median(&mut seen.all_flooded),
        p99(&mut seen.all_idle),
        p99(&mut seen.all_flooded),
        begun.elapsed(),
    );
    assert!(sent > 1_000, "{sent} are no flood");
    assert!(ratio <= 2.0, "{ratio}");
    assert!(peak < before + MEMORY_MIB, "{before} to {peak} MiB");
    // Whom the server knows signs in at once, from the flood's own address.
    let body = json!({
        "email": "root@example.com",
        "password": PASSWORD,
        "device_token": signed_in.json()["device_token"],
    });
    client
        .call("POST", "/api/v1/auth/login", None, Some(&body))
        .expect(200);
    answers
}

/// As wide as the limiter goes.
const WIDE: &str = "failures_at_once_per_address = 1000\nfailures_per_minute_per_address = 1000\n";

fn refused_before_it_costs(answers: &BTreeMap<u16, u64>) {
    assert!(answers[&429] > 20 * answers[&401], "{answers:?}");
}

/// Hashes were made all the time, and more were asked for than can be.
fn fills_the_hasher(answers: &BTreeMap<u16, u64>) {
    assert!(answers[&401] > 50 && answers[&503] > 50, "{answers:?}");
}

#[test]
fn auth_3_a_flood_from_one_address_is_refused_before_it_costs() {
    refused_before_it_costs(&flooded("SQLite, one address, as it comes", ""));
}

#[test]
fn auth_3_a_flood_that_fills_the_hasher_delays_nobody_else() {
    fills_the_hasher(&flooded("SQLite, the limiter as wide as it goes", WIDE));
}

mod over_postgres {
    use super::{flooded, refused_before_it_costs};
    use crate::support::Database;

    #[test]
    fn auth_3_a_flood_from_one_address_is_refused_before_it_costs() {
        let database = Database::new();
        let answers = flooded("PostgreSQL, one address, as it comes", &database.config());
        refused_before_it_costs(&answers);
    }
}
