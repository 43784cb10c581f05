//! What a verification takes, and the yardstick beside it.

use std::time::{Duration, Instant};

use biscuit_auth::builder::Algorithm;
use biscuit_auth::{KeyPair, PrivateKey};
use cyprob_core::ports::EntropyExt as _;

use super::stand::Stand;

/// How long the whole verification of a token takes that is not remembered, and whether it held.
pub(super) fn verification(stand: &Stand, bytes: &[u8]) -> (Duration, bool) {
    let verifier = stand.access.verifier();
    let at = stand.now();
    timed(|| {
        verifier
            .verify_cold(std::hint::black_box(bytes), at)
            .is_ok()
    })
}

/// Measures one Ed25519 verification, of a message as long as a token's first block.
pub(super) fn yardstick(stand: &Stand) -> impl Fn() -> Duration {
    let secret = stand.entropy.bytes::<32>();
    let pair = PrivateKey::from_bytes(&secret, Algorithm::Ed25519)
        .map(|key| KeyPair::from(&key))
        .expect("a key");
    let message = [7; 500];
    let signature = pair.sign(&message).expect("a signature");
    let public = pair.public();
    move || {
        let message = std::hint::black_box(&message);
        let (took, held) = timed(|| public.verify_signature(message, &signature).is_ok());
        assert!(held, "the yardstick's own signature holds");
        took
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a stopwatch, not the time of day"
)]
fn timed(work: impl FnOnce() -> bool) -> (Duration, bool) {
    let start = Instant::now();
    let held = std::hint::black_box(work());
    (start.elapsed(), held)
}

/// How long something has gone on.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a stopwatch, not the time of day"
    )]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
