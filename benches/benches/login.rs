//! Sign-ins per second on all cores, each with its session and its event on disk, against bare argon2id of the same parameters.

#![allow(clippy::expect_used, reason = "a benchmark reports by panicking")]

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use axum::Router;
use cyprob::CheckMode;
use cyprob::core::adapters::argon2::HashParams;
use cyprob_benches::{Client, Host, PASSWORD, clients, heading_of_rates, rates};
use tokio::runtime::Runtime;

const ROUNDS: usize = 11;
/// Long beside the end of a window, when the last sign-in leaves a core without work.
const WINDOW: Duration = Duration::from_secs(6);
/// Clients per core: there is always one who waits for the hash.
const CLIENTS: usize = 4;

/// A client that the control plane knows from its last sign-in.
struct SigningIn {
    router: Router,
    device: String,
}

impl Client for SigningIn {
    async fn act(&mut self) {
        let pair = Host::sign_in(&self.router, Some(&self.device)).await;
        std::hint::black_box(pair);
    }
}

fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

/// As many hashes as a thread per core makes.
fn hashes(window: Duration) -> u64 {
    let threads: Vec<_> = (0..cores())
        .map(|_| std::thread::spawn(move || hashes_of_one(window)))
        .collect();
    let done = threads.into_iter().map(|thread| thread.join());
    done.map(|done| done.expect("a thread ends")).sum()
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn hashes_of_one(window: Duration) -> u64 {
    let owasp = HashParams::OWASP;
    let params = Params::new(owasp.memory_kib(), owasp.passes(), owasp.lanes(), Some(32));
    let params = params.expect("parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    // The peer keeps its memory from hash to hash, as the pool's threads do.
    let mut memory = vec![Block::default(); argon2.params().block_count()];
    let end = Instant::now() + window;
    let mut done = 0;
    while Instant::now() < end {
        let mut output = [0; 32];
        argon2
            .hash_password_into_with_memory(PASSWORD.as_bytes(), &[7; 16], &mut output, &mut memory)
            .expect("hashed");
        std::hint::black_box(output);
        done += 1;
    }
    done
}

fn measure(runtime: &Runtime, name: &str, host: &Host) {
    let known = || {
        let pair = runtime.block_on(Host::sign_in(&host.router, None));
        let device = pair.get("device_token").and_then(|token| token.as_str());
        device.expect("a device token").to_owned()
    };
    let devices: Vec<String> = (0..CLIENTS * cores()).map(|_| known()).collect();
    let signing_in = || {
        devices.iter().map(|device| SigningIn {
            router: host.router.clone(),
            device: device.clone(),
        })
    };
    rates(
        name,
        ROUNDS,
        WINDOW,
        |window| runtime.block_on(clients(window, signing_in())),
        hashes,
    );
}

fn main() {
    heading_of_rates();
    let runtime = Runtime::new().expect("a runtime");
    let host = runtime.block_on(Host::sqlite(CheckMode::Feed));
    measure(
        &runtime,
        "sign-in, SQLite / bare argon2id, all cores",
        &host,
    );
    runtime.block_on(host.end());
    let Some(host) = runtime.block_on(Host::postgres(CheckMode::Feed)) else {
        return;
    };
    measure(
        &runtime,
        "sign-in, PostgreSQL / bare argon2id, all cores",
        &host,
    );
    runtime.block_on(host.end());
}
