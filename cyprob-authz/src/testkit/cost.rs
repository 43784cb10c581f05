//! The promise AUTHZ-4: what an accepted token may cost.

use std::time::{Duration, Instant};

use biscuit_auth::builder::Algorithm;
use biscuit_auth::{KeyPair, PrivateKey};
use cyprob_core::domain::RoleName;
use cyprob_core::ports::EntropyExt as _;

use super::narrow::{Narrow, narrow, seal};
use super::stand::Stand;
use crate::service::token_text;

/// How many of the costliest tokens are measured again.
const SUSPECTS: usize = 60;
/// How often each is, in how many passes.
const ROUNDS: u32 = 5;
const PASSES: u32 = 20;

/// What [`authz_4_accepted_tokens_are_cheap`] found.
#[derive(Clone, Debug)]
pub struct Cost {
    /// How many generated tokens were accepted.
    pub accepted: usize,
    /// How many were generated and refused.
    pub refused: usize,
    /// The costliest accepted token: shape, signatures and claims, nothing remembered.
    pub worst: Duration,
    /// The costliest token's length in bytes.
    pub worst_bytes: usize,
    /// The median of all.
    pub median: Duration,
    /// One Ed25519 verification, measured in turns with the costliest tokens.
    pub ed25519: Duration,
}

impl Cost {
    /// The worst in units of one Ed25519 verification.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.worst.as_secs_f64() / self.ed25519.as_secs_f64()
    }
}

/// AUTHZ-4: measures the costliest of `count` accepted tokens against one Ed25519 verification, in one run.
///
/// The tokens reach for the limits: blocks, checks, lists and strings up to
/// what the firewall admits, sealed or not. Every token is measured; the
/// costliest sixty are measured again, many times and in turns with the
/// verification. Every time is the least of its repetitions, so that a busy
/// machine does not pass for a costly token.
///
/// # Panics
///
/// If a token of the control plane's own cannot be minted.
#[must_use]
pub fn authz_4_accepted_tokens_are_cheap(count: usize) -> Cost {
    let stand = Stand::new(4);
    let parent = stand.token("acme", RoleName::OWNER);
    let mut refused = 0;
    let mut times: Vec<(Duration, Vec<u8>)> = Vec::with_capacity(count);
    while times.len() < count {
        let token = greedy(&stand, &parent);
        let bytes = token_text::decode(&token).unwrap_or_default();
        let (took, held) = verification(&stand, &bytes);
        if held {
            times.push((took.min(verification(&stand, &bytes).0), bytes));
        } else {
            refused += 1;
        }
    }
    times.sort_by_key(|(took, _)| std::cmp::Reverse(*took));
    let median = times.get(times.len() / 2).map_or(Duration::ZERO, |t| t.0);
    let (worst, ed25519, worst_bytes) = remeasured(&stand, &times);
    Cost {
        accepted: times.len(),
        refused,
        worst,
        worst_bytes,
        median,
        ed25519,
    }
}

/// The costliest tokens again, in passes that lie apart, in turns with one Ed25519 verification.
fn remeasured(stand: &Stand, times: &[(Duration, Vec<u8>)]) -> (Duration, Duration, usize) {
    let yardstick = yardstick(stand);
    let mut ed25519 = Duration::MAX;
    let mut suspects: Vec<(Duration, &[u8])> = times
        .iter()
        .take(SUSPECTS)
        .map(|(_, bytes)| (Duration::MAX, bytes.as_slice()))
        .collect();
    for _ in 0..PASSES {
        for (least, bytes) in &mut suspects {
            for _ in 0..ROUNDS {
                *least = verification(stand, bytes).0.min(*least);
                ed25519 = yardstick().min(ed25519);
            }
        }
    }
    let (worst, bytes) = suspects.into_iter().max().unwrap_or_default();
    (worst, ed25519, bytes.len())
}

/// How long the whole verification of a token takes that is not remembered, and whether it held.
fn verification(stand: &Stand, bytes: &[u8]) -> (Duration, bool) {
    let verifier = stand.access.verifier();
    let at = stand.now();
    timed(|| {
        verifier
            .verify_cold(std::hint::black_box(bytes), at)
            .is_ok()
    })
}

/// A narrowed token that takes as much as the firewall may admit.
fn greedy(stand: &Stand, parent: &str) -> String {
    let dice = Dice {
        stand,
        // few short strings make many terms, many long ones a large table
        words: 1 + Dice::draw(stand, 40),
        length: 1 + Dice::draw(stand, 40),
    };
    let mut token = parent.to_owned();
    let blocks = dice.upto(4).min(2) + u16::from(dice.upto(16) == 0);
    for _ in 0..blocks {
        let checks = 1 + dice.upto(if dice.upto(2) == 0 { 16 } else { 4 });
        let block: Vec<Narrow> = (0..checks).map(|_| dice.check()).collect();
        if let Ok(narrower) = narrow(&token, &block, &*stand.entropy) {
            token = narrower;
        }
    }
    if dice.upto(2) == 0 {
        token = seal(&token).unwrap_or(token);
    }
    token
}

struct Dice<'a> {
    stand: &'a Stand,
    words: u16,
    length: u16,
}

impl Dice<'_> {
    fn draw(stand: &Stand, limit: u16) -> u16 {
        u16::from_le_bytes(stand.entropy.bytes()) % limit
    }

    /// 0 to `limit` - 1.
    fn upto(&self, limit: u16) -> u16 {
        Self::draw(self.stand, limit)
    }

    fn check(&self) -> Narrow {
        let set = self.upto(2) == 0;
        let kind = self.upto(4);
        let most = match (self.upto(3), kind) {
            (0, 2) => 33,
            (0, _) => 65,
            _ => 8,
        };
        let length = self.upto(most);
        match kind {
            0 => Narrow::Permissions {
                names: (0..length).map(|_| self.word()).collect(),
                set,
            },
            1 => Narrow::Resources {
                ids: (0..length).map(|_| self.word()).collect(),
                set,
            },
            2 => {
                let six = self.upto(2) == 0;
                let range = |n: u16| match six {
                    true => format!("2001:db8:{:x}:1:5555:6666:7777:{n:x}/128", n + 1),
                    false => format!("10.{}.{}.0/24", n / 256, n % 256),
                };
                Narrow::Addresses {
                    ranges: (0..length).map(|_| range(self.upto(self.words))).collect(),
                    set,
                }
            }
            _ => Narrow::Before {
                second: u64::from(self.upto(u16::MAX)) << 17,
                inclusive: set,
            },
        }
    }

    /// One of the token's words, so that lists repeat strings and stay in the limits.
    fn word(&self) -> String {
        let which = self.upto(self.words);
        let length = usize::from(self.length);
        format!("{which:0length$}")
    }
}

/// Measures one Ed25519 verification, of a message as long as a token's first block.
fn yardstick(stand: &Stand) -> impl Fn() -> Duration {
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
