//! Ids of requests, without a call to the system for each.

use std::sync::atomic::{AtomicU64, Ordering};

use cyprob_core::domain::{Id as _, RequestId, Timestamp};
use cyprob_core::ports::{Entropy, EntropyExt as _};
use siphasher::sip128::SipHasher24;

/// Ids that are unique and tell nothing: the time, and a number under a keyed hash (SipHash-2-4 of 128 bits).
///
/// The key is drawn when the process starts. Every answer has an id, so a plain
/// counter would tell each caller how many requests of others came in between.
#[derive(Debug)]
pub(super) struct RequestIds {
    key: Key,
    next: AtomicU64,
}

struct Key([u8; 16]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl RequestIds {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        Self {
            key: Key(entropy.bytes()),
            next: AtomicU64::new(0),
        }
    }

    pub(super) fn next(&self, at: Timestamp) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let hash = SipHasher24::new_with_key(&self.key.0).hash(&number.to_be_bytes());
        let [a, b, c, d, e, f, g, h, i, j, ..] = hash.as_bytes();
        RequestId::from_random(at, [a, b, c, d, e, f, g, h, i, j])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cyprob_core::testkit::SeededEntropy;

    use super::*;

    #[test]
    fn no_two_of_a_moment_are_alike_and_none_tells_the_next() {
        let at = Timestamp::UNIX_EPOCH;
        let nodes = [1, 2].map(|seed| RequestIds::new(&SeededEntropy::new(seed)));
        let ids: Vec<_> = nodes
            .iter()
            .flat_map(|node| (0..70_000).map(|_| node.next(at)))
            .collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 140_000);
        // Of the 74 random bits half differ from one to the next.
        let bits = |id: &RequestId| u128::from_be_bytes(*id.as_bytes());
        let differing = ids.windows(2).map(|pair| match pair {
            [a, b] => (bits(a) ^ bits(b)).count_ones(),
            _ => 0,
        });
        assert!(differing.min() > Some(5));
    }
}
