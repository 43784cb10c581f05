//! The promise AUTHZ-4 against somebody who looks for the costliest token.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use cyprob_core::domain::RoleName;

use super::cost::{Suspect, remeasure};
use super::genome::{Dice, Genome};
use super::stand::Stand;
use super::stopwatch::{Stopwatch, verification};
use crate::service::token_text;

/// How many of the costliest are kept and told.
const KEPT: usize = 50;
/// How many greedy tokens it begins with.
const FOUNDERS: usize = 200;

/// An accepted token, as [`authz_4_search_for_cost`] found it.
#[derive(Clone, Debug)]
pub struct Costly {
    /// What its verification took, nothing remembered.
    pub cost: Duration,
    /// The same in verifications of one Ed25519 signature, measured in turns with it.
    pub ratio: f64,
    /// Its length in bytes.
    pub bytes: usize,
    /// Its blocks, checks and strings.
    pub form: String,
}

impl fmt::Display for Costly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ratio, cost) = (self.ratio, self.cost.as_secs_f64() * 1e6);
        let (bytes, form) = (self.bytes, &self.form);
        write!(f, "{ratio:.2} ({cost:.0} us), {bytes} bytes, {form}")
    }
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Search {
    /// How many tokens were tried.
    pub tried: usize,
    /// How many of them the verifier took.
    pub accepted: usize,
    /// The costliest, the worst first.
    pub costliest: Vec<Costly>,
    /// One Ed25519 verification, the least of all that were measured in turns with them.
    pub ed25519: Duration,
}

struct Candidate {
    cost: Duration,
    genome: Genome,
    bytes: Vec<u8>,
}

/// AUTHZ-4: looks for so long for the accepted token that costs the most.
///
/// It keeps the fifty costliest tokens found so far, changes or crosses them at
/// random, and takes up what costs more. Whatever the verifier refuses is
/// counted and dropped. At the end the fifty are measured again, many times and
/// in turns with one Ed25519 verification; every time is the least of its
/// repetitions.
///
/// # Panics
///
/// If a token of the control plane's own cannot be minted.
#[must_use]
pub fn authz_4_search_for_cost(seed: u64, length: Duration) -> Search {
    let stand = Stand::new(seed);
    let parent = stand.token("acme", RoleName::OWNER);
    let dice = Dice::new(&stand);
    let watch = Stopwatch::start();
    let mut known = HashSet::new();
    let mut kept: Vec<Candidate> = Vec::with_capacity(KEPT + 1);
    let (mut tried, mut accepted) = (0, 0);
    while watch.elapsed() < length {
        let genome = if tried < FOUNDERS || kept.is_empty() {
            Genome::greedy(&dice)
        } else {
            offspring(&kept, &dice)
        };
        if !known.insert(genome.clone()) {
            continue;
        }
        tried += 1;
        let token = genome.token(&stand, &parent);
        let bytes = token_text::decode(&token).unwrap_or_default();
        let (first, held) = verification(&stand, &bytes);
        if !held {
            continue;
        }
        accepted += 1;
        let again = (0..3).map(|_| verification(&stand, &bytes).0);
        let cost = again.fold(first, Duration::min);
        let place = kept.partition_point(|other| other.cost >= cost);
        if place < KEPT {
            let candidate = Candidate {
                cost,
                genome,
                bytes,
            };
            kept.insert(place, candidate);
            kept.truncate(KEPT);
        }
    }
    let suspects = kept.iter().map(|candidate| Suspect::new(&candidate.bytes));
    let mut suspects: Vec<_> = suspects.collect();
    remeasure(&stand, &mut suspects);
    let mut costliest: Vec<Costly> = suspects
        .iter()
        .zip(&kept)
        .map(|(suspect, candidate)| Costly {
            cost: suspect.cost,
            ratio: suspect.ratio(),
            bytes: suspect.bytes.len(),
            form: candidate.genome.form(),
        })
        .collect();
    costliest.sort_by(|one, other| other.ratio.total_cmp(&one.ratio));
    let least = suspects.iter().map(|suspect| suspect.ed25519).min();
    let ed25519 = least.unwrap_or_default();
    Search {
        tried,
        accepted,
        costliest,
        ed25519,
    }
}

/// A child of the costlier ones, changed once or a few times.
fn offspring(kept: &[Candidate], dice: &Dice<'_>) -> Genome {
    let pick = || {
        let many = u16::try_from(kept.len()).unwrap_or(u16::MAX);
        let place = usize::from(dice.upto(many).min(dice.upto(many)));
        kept.get(place).map(|candidate| &candidate.genome)
    };
    let (Some(one), Some(other)) = (pick(), pick()) else {
        return Genome::greedy(dice);
    };
    let child = match dice.upto(5) {
        0 => one.crossed(other, dice),
        _ => one.clone(),
    };
    (0..=dice.upto(4)).fold(child, |child, _| child.mutated(dice))
}
