//! The promise AUTHZ-4: what an accepted token may cost.

use std::time::{Duration, Instant};

use biscuit_auth::builder::Algorithm;
use biscuit_auth::{KeyPair, PrivateKey};
use cyprob_core::domain::RoleName;
use cyprob_core::ports::EntropyExt as _;

use super::narrow::{Narrow, narrow, seal};
use super::stand::Stand;
use crate::service::token_text;

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
    /// One Ed25519 verification, in the same run.
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
/// what the firewall admits, sealed or not. Every time is the least of several,
/// so that a busy machine does not pass for a costly token.
///
/// # Panics
///
/// If a token of the control plane's own cannot be minted.
#[must_use]
pub fn authz_4_accepted_tokens_are_cheap(count: usize) -> Cost {
    let stand = Stand::new(4);
    let parent = stand.token("acme", RoleName::OWNER);
    let at = stand.now();
    let mut refused = 0;
    let mut times: Vec<(Duration, Vec<u8>)> = Vec::with_capacity(count);
    while times.len() < count {
        let token = greedy(&stand, &parent);
        let bytes = token_text::decode(&token).unwrap_or_default();
        if stand.access.verifier().verify_cold(&bytes, at).is_err() {
            refused += 1;
            continue;
        }
        let took = least(3, || {
            let _ = std::hint::black_box(stand.access.verifier().verify_cold(&bytes, at));
        });
        times.push((took, bytes));
    }
    times.sort_by_key(|(took, _)| std::cmp::Reverse(*took));
    let median = times.get(times.len() / 2).map_or(Duration::ZERO, |t| t.0);
    // the costliest again and more patiently: a pause of the machine looks like a cost
    let suspects = times.iter().take(50);
    let (worst, worst_bytes) = suspects
        .map(|(_, bytes)| {
            let took = least(25, || {
                let _ = std::hint::black_box(stand.access.verifier().verify_cold(bytes, at));
            });
            (took, bytes.len())
        })
        .max()
        .unwrap_or_default();
    Cost {
        accepted: times.len(),
        refused,
        worst,
        worst_bytes,
        median,
        ed25519: one_verification(&stand),
    }
}

/// A narrowed token that takes as much as the firewall may admit.
fn greedy(stand: &Stand, parent: &str) -> String {
    let dice = Dice(stand);
    let mut token = parent.to_owned();
    let blocks = dice.upto(4);
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

struct Dice<'a>(&'a Stand);

impl Dice<'_> {
    /// 0 to `limit` - 1.
    fn upto(&self, limit: u16) -> u16 {
        u16::from_le_bytes(self.0.entropy.bytes()) % limit
    }

    fn check(&self) -> Narrow {
        let set = self.upto(2) == 0;
        let length = self.upto(if self.upto(3) == 0 { 64 } else { 8 });
        match self.upto(4) {
            0 => Narrow::Permissions {
                names: (0..length).map(|_| self.word()).collect(),
                set,
            },
            1 => Narrow::Resources {
                ids: (0..length).map(|_| self.word()).collect(),
                set,
            },
            2 => {
                let range = |n: u16| format!("10.{}.{}.0/24", n / 256, n % 256);
                Narrow::Addresses {
                    ranges: (0..length).map(|_| range(self.upto(48))).collect(),
                    set,
                }
            }
            _ => Narrow::Before {
                second: u64::from(self.upto(u16::MAX)) << 17,
                inclusive: set,
            },
        }
    }

    /// One of a few words, of any length up to 40, so that lists repeat strings and stay in the limits.
    fn word(&self) -> String {
        let which = usize::from(self.upto(40));
        char::from(b'a' + u8::try_from(which % 26).unwrap_or(0))
            .to_string()
            .repeat(which + 1)
    }
}

fn one_verification(stand: &Stand) -> Duration {
    let secret = stand.entropy.bytes::<32>();
    let pair = PrivateKey::from_bytes(&secret, Algorithm::Ed25519)
        .map(|key| KeyPair::from(&key))
        .expect("a key");
    let message = [7_u8; 256];
    let signature = pair.sign(&message).expect("a signature");
    let public = pair.public();
    least(500, || {
        let held = public.verify_signature(std::hint::black_box(&message), &signature);
        assert!(std::hint::black_box(held).is_ok());
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a stopwatch, not the time of day"
)]
fn least(times: u32, mut work: impl FnMut()) -> Duration {
    let once = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..times)
        .map(|_| once(&mut work))
        .min()
        .unwrap_or_default()
}
