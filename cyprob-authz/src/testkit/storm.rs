//! A storm of tokens against the memory of those that held.

use cyprob_core::domain::RoleName;
use cyprob_core::ports::EntropyExt as _;

use super::narrow::{Narrow, narrow};
use super::stand::Stand;
use crate::service::{CacheLimits, token_text};

/// How many sessions have a token in the memory when the storm begins.
const SESSIONS: usize = 2_000;
/// How many sessions the storm comes from.
const STORMING: usize = 4;

/// What a storm came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Storm {
    /// How many tokens came, no two alike.
    pub tokens: usize,
    /// How many of them held: narrower ones of the storming sessions' own.
    pub held: usize,
    /// How many were refused by their shape.
    pub misshapen: usize,
    /// How many were refused by a signature.
    pub forged: usize,
    /// How many were refused otherwise.
    pub other: usize,
    /// How many sessions had a token in the memory before.
    pub sessions: usize,
    /// How many of these tokens were still in it after.
    pub kept: usize,
    /// How many tokens the memory held at the end.
    pub remembered: usize,
    /// What it weighed at most, in bytes.
    pub weight: usize,
}

/// A storm of distinct tokens, bad or validly narrowed, costs no other session its place in the memory.
///
/// The tokens come from four sessions: narrower ones of their own, forged and
/// broken ones. Meanwhile nobody else's token is used, so each would be the first
/// to go.
///
/// # Panics
///
/// If a token of the stand's own cannot be minted or narrowed, or the memory
/// grows past its bound.
#[must_use]
pub fn authz_4_a_storm_costs_nobody_their_place(tokens: usize) -> Storm {
    let stand = Stand::new(51);
    let verifier = stand.access.verifier();
    let token = || stand.token("acme", RoleName::OWNER);
    let quiet: Vec<String> = (0..SESSIONS).map(|_| token()).collect();
    for token in &quiet {
        let held = verifier.verify(token, stand.now());
        held.expect("a token of the stand's own");
    }
    let storming: Vec<String> = (0..STORMING).map(|_| token()).collect();
    let mut storm = Storm {
        tokens,
        sessions: SESSIONS,
        ..Storm::default()
    };
    for number in 0..tokens {
        let own = storming.get((number / 8) % STORMING).expect("a session");
        let came = stormy(&stand, own, number);
        match verifier.verify(&came, stand.now()) {
            Ok(_) => storm.held += 1,
            Err(crate::service::TokenError::Shape(_)) => storm.misshapen += 1,
            Err(crate::service::TokenError::Signature) => storm.forged += 1,
            Err(_) => storm.other += 1,
        }
        if number % 1_000 == 0 {
            storm.weight = storm.weight.max(verifier.cached().1);
        }
    }
    assert!(storm.weight <= CacheLimits::default().bytes);
    storm.remembered = verifier.cached().0;
    storm.kept = quiet
        .iter()
        .filter(|token| verifier.remembers(token))
        .count();
    storm
}

/// One token of a storm, by its number.
fn stormy(stand: &Stand, own: &str, number: usize) -> String {
    let many = u64::try_from(number).unwrap_or(u64::MAX);
    let mut bytes = token_text::decode(own).expect("a token of the stand's own");
    let place = |within: usize| usize::from(u16::from_le_bytes(stand.entropy.bytes())) % within;
    match number % 8 {
        0 => {
            // Its own deadline makes it another token.
            let second = (1 << 40) + many;
            let before = Narrow::Before {
                second,
                inclusive: false,
            };
            return narrow(own, &[before], &*stand.entropy).expect("a narrower token");
        }
        1 => {
            // The last bytes but the proof's are the signature's.
            let at = bytes.len() - 40 - place(60);
            let serial = stand.entropy.bytes::<8>();
            for (byte, drawn) in bytes.iter_mut().skip(at - 8).zip(serial) {
                *byte ^= drawn | 1;
            }
        }
        2 => bytes.extend_from_slice(&many.to_le_bytes()),
        3 => bytes.truncate(bytes.len() / 2 + place(200)),
        4 => return format!("{own}{number}"),
        5 => bytes = stand.entropy.bytes::<64>().to_vec(),
        6 => {
            let at = place(bytes.len());
            for (byte, drawn) in bytes.iter_mut().skip(at).zip(many.to_le_bytes()) {
                *byte ^= drawn | 1;
            }
        }
        _ => {
            // Each byte is a letter: base64 of nothing.
            bytes = many.to_string().into_bytes();
        }
    }
    token_text::encode(&bytes)
}
