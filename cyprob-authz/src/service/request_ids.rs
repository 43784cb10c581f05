//! Ids of requests, without a call to the system for each.

use std::sync::atomic::{AtomicU64, Ordering};

use cyprob_core::domain::{Id as _, RequestId, Timestamp};
use cyprob_core::ports::{Entropy, EntropyExt as _};

/// Ids that are unique and not secret: the time, and a counter that begins at a random place.
///
/// What is random of an id is drawn once, when the process starts; the last 64
/// bits count on from there (RFC 9562, section 6.2, a counter with a random seed).
#[derive(Debug)]
pub(super) struct RequestIds {
    first: [u8; 2],
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        let [a, b, seed @ ..]: [u8; 10] = entropy.bytes();
        Self {
            first: [a, b],
            next: AtomicU64::new(u64::from_be_bytes(seed)),
        }
    }

    pub(super) fn next(&self, at: Timestamp) -> RequestId {
        let [a, b] = self.first;
        // What is added wraps around.
        let [c, d, e, f, g, h, i, j] = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        RequestId::from_random(at, [a, b, c, d, e, f, g, h, i, j])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cyprob_core::testkit::SeededEntropy;

    use super::*;

    #[test]
    fn no_two_of_a_moment_are_alike_and_no_two_nodes_count_alike() {
        let at = Timestamp::UNIX_EPOCH;
        let nodes = [1, 2].map(|seed| RequestIds::new(&SeededEntropy::new(seed)));
        // Beyond what one byte and two bytes of a counter tell apart.
        let ids: HashSet<_> = nodes
            .iter()
            .flat_map(|node| (0..70_000).map(|_| node.next(at)))
            .collect();
        assert_eq!(ids.len(), 140_000);
    }
}
