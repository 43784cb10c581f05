//! Refresh tokens that this node gave out a short while ago.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

/// Tokens in one set; the one that was given out first gives way.
const WAYS: usize = 4;
/// Sets under one lock.
const STRIPE: usize = 256;
/// Locks: 65,536 tokens in 512 KiB.
const STRIPES: usize = 64;

type Set = [u64; WAYS];

/// Knows refresh tokens by 64 bits of a keyed hash.
///
/// Who shows one that is known is no stranger, so no flood from the same
/// network delays them. What is not known, after a restart or at another node,
/// passes by the network's bucket.
#[derive(Debug)]
pub(super) struct Recent {
    hasher: RandomState,
    stripes: Box<[Mutex<Box<[Set]>>]>,
}

impl Default for Recent {
    fn default() -> Self {
        let stripe = || Mutex::new(vec![[0; WAYS]; STRIPE].into_boxed_slice());
        Self {
            hasher: RandomState::new(),
            stripes: (0..STRIPES).map(|_| stripe()).collect(),
        }
    }
}

impl Recent {
    /// The memory that it has from the beginning to the end.
    pub(super) fn bytes(&self) -> usize {
        self.stripes.len() * (size_of::<Set>() * STRIPE + size_of::<Mutex<Box<[Set]>>>())
    }

    /// Remembers a token that was given out.
    pub(super) fn remember(&self, token: &SecretString) {
        let key = self.hash(token);
        self.with_set(key, |set| {
            if !set.contains(&key) {
                set.rotate_right(1);
                if let Some(first) = set.first_mut() {
                    *first = key;
                }
            }
        });
    }

    /// Forgets a token.
    pub(super) fn forget(&self, token: &SecretString) {
        let key = self.hash(token);
        self.with_set(key, |set| {
            if let Some(place) = set.iter_mut().find(|known| **known == key) {
                *place = 0;
            }
        });
    }

    /// Whether it was given out here, a short while ago.
    pub(super) fn knows(&self, token: &SecretString) -> bool {
        let key = self.hash(token);
        self.with_set(key, |set| set.contains(&key))
            .unwrap_or(false)
    }

    fn hash(&self, token: &SecretString) -> u64 {
        self.hasher.hash_one(token.expose_secret()).max(1)
    }

    fn with_set<T>(&self, key: u64, work: impl FnOnce(&mut Set) -> T) -> Option<T> {
        let [high, low] = [key >> 32, key & 0xffff_ffff].map(|half| usize::try_from(half).ok());
        let stripe = self.stripes.get(high? % self.stripes.len())?;
        let mut sets = stripe.lock().unwrap_or_else(PoisonError::into_inner);
        sets.get_mut(low? % STRIPE).map(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u32) -> SecretString {
        format!("cyr1_1.{number}").into()
    }

    #[test]
    fn what_was_given_out_is_known_and_nothing_else() {
        let recent = Recent::default();
        (0..1_000).for_each(|number| recent.remember(&token(number)));
        assert!((0..1_000).all(|number| recent.knows(&token(number))));
        assert!(!(1_000..20_000).any(|number| recent.knows(&token(number))));
    }

    #[test]
    fn the_newest_stay_when_it_is_full() {
        let recent = Recent::default();
        let bytes = recent.bytes();
        (0..300_000).for_each(|number| recent.remember(&token(number)));
        assert!((299_990..300_000).all(|number| recent.knows(&token(number))));
        let old = (0..1_000).filter(|number| recent.knows(&token(*number)));
        assert!(old.count() < 500);
        assert_eq!(recent.bytes(), bytes);
        assert!(bytes < 600 << 10, "{bytes}");
    }
}
