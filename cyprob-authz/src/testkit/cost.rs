//! The promise AUTHZ-4: what an accepted token may cost.

use std::time::Duration;

use cyprob_core::domain::RoleName;

use super::genome::{Dice, Genome};
use super::stand::Stand;
use super::stopwatch::{verification, yardstick};
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
    /// One Ed25519 verification, measured in turns with that token.
    pub ed25519: Duration,
}

/// A token that is measured again, with the yardstick in turns.
pub(super) struct Suspect<'a> {
    pub(super) bytes: &'a [u8],
    /// The least of its verifications.
    pub(super) cost: Duration,
    /// The least of as many Ed25519 verifications, each right after one of the token's.
    pub(super) ed25519: Duration,
}

impl<'a> Suspect<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            cost: Duration::MAX,
            ed25519: Duration::MAX,
        }
    }

    pub(super) fn ratio(&self) -> f64 {
        self.cost.as_secs_f64() / self.ed25519.as_secs_f64()
    }
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
        let genome = Genome::greedy(&Dice::new(&stand));
        let token = genome.token(&stand, &parent);
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
    let mut suspects: Vec<_> = times
        .iter()
        .take(SUSPECTS)
        .map(|(_, bytes)| Suspect::new(bytes))
        .collect();
    remeasure(&stand, &mut suspects);
    let by_ratio = |one: &Suspect<'_>, other: &Suspect<'_>| one.ratio().total_cmp(&other.ratio());
    let worst = suspects.into_iter().max_by(by_ratio);
    let worst = worst.unwrap_or(Suspect::new(&[]));
    Cost {
        accepted: times.len(),
        refused,
        worst: worst.cost,
        worst_bytes: worst.bytes.len(),
        median,
        ed25519: worst.ed25519,
    }
}

/// Measures tokens again, in passes that lie apart, each time in turns with one Ed25519 verification.
///
/// Each token has a yardstick of its own, of as many repetitions: the least of
/// thousands is that of the machine's fastest moment, in which no token was measured.
pub(super) fn remeasure(stand: &Stand, suspects: &mut [Suspect<'_>]) {
    let yardstick = yardstick(stand);
    for _ in 0..PASSES {
        for suspect in &mut *suspects {
            for _ in 0..ROUNDS {
                suspect.cost = verification(stand, suspect.bytes).0.min(suspect.cost);
                suspect.ed25519 = yardstick().min(suspect.ed25519);
            }
        }
    }
}
