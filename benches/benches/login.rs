//! A sign-in over SQLite, with its session and its audit event on disk, against bare argon2id of the same parameters.

#![allow(clippy::expect_used, reason = "a benchmark reports by panicking")]

use argon2::{Algorithm, Argon2, Block, Params, Version};
use cyprob::Embedded;
use cyprob::core::adapters::argon2::HashParams;
use cyprob::core::domain::Caller;
use cyprob::core::domain::audit::Actor;
use cyprob::core::service::{Bootstrap, Credentials, FirstAdministrator, Identity};
use cyprob_benches::{compare, heading};

const ROUNDS: u32 = 41;
const OPERATIONS: u32 = 3;
const EMAIL: &str = "ada@acme.test";
const PASSWORD: &str = "correct horse battery staple 7";

fn caller() -> Caller {
    Caller {
        actor: Actor::Anonymous,
        origin: Default::default(),
        request_id: None,
    }
}

async fn found(identity: &Identity) {
    let Bootstrap::Open(token) = identity.arm_bootstrap().await.expect("armed") else {
        return;
    };
    let first = FirstAdministrator {
        email: EMAIL.parse().expect("an e-mail"),
        password: PASSWORD.to_owned().into(),
        name: "Ada".parse().expect("a name"),
        org_slug: "acme".parse().expect("a slug"),
        org_name: "Acme".parse().expect("a name"),
    };
    identity
        .bootstrap(&token, first, &caller())
        .await
        .expect("made");
}

async fn sign_in(identity: &Identity) {
    let credentials = Credentials {
        totp: None,
        email: EMAIL.to_owned(),
        password: PASSWORD.to_owned().into(),
        org: None,
        device_token: None,
    };
    let session = identity.sign_in(credentials, &caller()).await;
    std::hint::black_box(session.expect("signed in"));
}

fn main() {
    heading();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    let embedded = runtime
        .block_on(Embedded::open(directory.path()))
        .expect("opened");
    let plane = runtime
        .block_on(embedded.builder().build())
        .expect("composed");
    runtime.block_on(found(plane.identity()));

    let owasp = HashParams::OWASP;
    let params = Params::new(owasp.memory_kib(), owasp.passes(), owasp.lanes(), Some(32));
    let argon2 = Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        params.expect("parameters"),
    );
    // the peer keeps its memory from hash to hash, as the pool's threads do
    let mut memory = vec![Block::default(); argon2.params().block_count()];
    compare(
        "sign-in over SQLite / bare argon2id",
        ROUNDS,
        OPERATIONS,
        |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    sign_in(plane.identity()).await;
                }
            });
        },
        |count| {
            for _ in 0..count {
                let mut output = [0; 32];
                argon2
                    .hash_password_into_with_memory(
                        PASSWORD.as_bytes(),
                        &[7; 16],
                        &mut output,
                        &mut memory,
                    )
                    .expect("hashed");
                std::hint::black_box(output);
            }
        },
    );
    drop(plane);
    runtime.block_on(embedded.close());
}
