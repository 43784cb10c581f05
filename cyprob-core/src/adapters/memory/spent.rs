//! Spent uses of tokens.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::domain::{Timestamp, UseId, UsedToken};
use crate::ports::store::{MOST_SPENT_USES, SpendOutcome, SpentStore, StoreError};

/// How many dead uses are dropped in one step.
const SWEEP: u64 = 10_000;

/// Spent uses of tokens in memory, for a deployment of one process whose tokens do not outlive it.
///
/// A process that starts anew remembers none: give it new keys for its tokens,
/// or a store that lasts.
#[derive(Debug)]
pub struct MemorySpent {
    most: usize,
    uses: Mutex<Uses>,
}

/// The uses by their tokens, and the same in the order of their ends.
#[derive(Debug, Default)]
struct Uses {
    of: BTreeMap<UsedToken, BTreeSet<UseId>>,
    by_end: BTreeSet<(Timestamp, UsedToken, UseId)>,
}

/// There is no room for a use, and all that are there still count.
#[derive(Debug, thiserror::Error)]
#[error("as many uses are spent as can be remembered")]
struct Full;

impl Default for MemorySpent {
    /// Room for 100,000 uses, some 30 MB.
    fn default() -> Self {
        Self::with_room(100_000)
    }
}

impl MemorySpent {
    /// Remembers so many uses at once; one more is refused until others were swept.
    #[must_use]
    pub fn with_room(most: usize) -> Self {
        Self {
            most,
            uses: Mutex::default(),
        }
    }
}

impl Uses {
    /// Drops the uses that may go by then, so many at most.
    fn sweep(&mut self, up_to: Timestamp) -> u64 {
        let mut swept = 0;
        while swept < SWEEP
            && let Some((end, token, one)) = self.by_end.first().copied()
            && end <= up_to
        {
            self.by_end.pop_first();
            if let Entry::Occupied(mut of) = self.of.entry(token) {
                of.get_mut().remove(&one);
                if of.get().is_empty() {
                    of.remove();
                }
            }
            swept += 1;
        }
        swept
    }
}

#[async_trait]
impl SpentStore for MemorySpent {
    async fn spend(
        &self,
        token: UsedToken,
        uses: &[UseId],
        until: Timestamp,
    ) -> Result<SpendOutcome, StoreError> {
        let mut spent = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = &mut *spent;
        let of = spent.of.get(&token);
        // INVARIANT: a use is spent while it is here, and it goes by a sweep alone: what one
        // request believes the time to be drops no use of another's token.
        let left = |one: &&UseId| of.is_none_or(|of| !of.contains(one));
        let Some(one) = uses.iter().find(left) else {
            return Ok(SpendOutcome::AllSpent);
        };
        if of.is_some_and(|of| of.len() >= MOST_SPENT_USES) {
            return Ok(SpendOutcome::TooMany);
        }
        if spent.by_end.len() >= self.most {
            return Err(StoreError::unavailable(Full));
        }
        spent.of.entry(token).or_default().insert(*one);
        spent.by_end.insert((until, token, *one));
        Ok(SpendOutcome::Taken(*one))
    }

    async fn sweep_spent(&self, up_to: Timestamp) -> Result<u64, StoreError> {
        let mut spent = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(spent.sweep(up_to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Id as _, TokenId};

    const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

    const fn later(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(AT.as_seconds() + seconds)
    }

    async fn spend(store: &MemorySpent, number: u8, until: i64) -> Result<bool, StoreError> {
        let token = TokenId::from_random(AT, [number; 10]);
        let one = UseId::of(token, "word");
        let uses = [one];
        let outcome = store.spend(UsedToken::of(token), &uses, later(until));
        Ok(outcome.await? == SpendOutcome::Taken(one))
    }

    #[tokio::test]
    async fn a_full_store_refuses_and_forgets_no_use_until_it_is_swept() {
        let store = MemorySpent::with_room(2);
        for number in 1..=2 {
            assert!(spend(&store, number, i64::from(number) * 10).await.unwrap());
        }
        // However late it ends: who asks sweeps nothing.
        for until in [5, 99, 100_000] {
            let refused = spend(&store, 3, until).await;
            assert!(matches!(refused, Err(StoreError::Unavailable { .. })));
            for number in 1..=2 {
                assert!(!spend(&store, number, until).await.unwrap());
            }
        }
        assert_eq!(store.sweep_spent(later(9)).await.unwrap(), 0);
        assert!(spend(&store, 3, 99).await.is_err());
        assert_eq!(store.sweep_spent(later(10)).await.unwrap(), 1);
        assert!(spend(&store, 3, 99).await.unwrap());
        assert!(spend(&store, 4, 99).await.is_err());
    }

    #[tokio::test]
    async fn a_sweep_leaves_nothing_behind() {
        let store = MemorySpent::default();
        for number in 1..=9 {
            assert!(spend(&store, number, 10).await.unwrap());
        }
        assert_eq!(store.sweep_spent(later(10)).await.unwrap(), 9);
        let uses = store.uses.lock().unwrap();
        assert!(uses.of.is_empty() && uses.by_end.is_empty());
    }
}
