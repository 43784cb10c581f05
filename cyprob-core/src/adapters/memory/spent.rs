//! Spent uses of tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::domain::{Timestamp, UseId};
use crate::ports::store::{SpendOutcome, SpentStore, StoreError};

/// How many dead uses are dropped in one step.
const SWEEP: usize = 10_000;

/// Spent uses of tokens in memory, for a deployment of one process whose tokens do not outlive it.
///
/// A process that starts anew remembers none: give it new keys for its tokens,
/// or a store that lasts.
#[derive(Debug)]
pub struct MemorySpent {
    most: usize,
    uses: Mutex<Uses>,
}

/// The uses by their names, and the same in the order of their ends.
#[derive(Debug, Default)]
struct Uses {
    ends: BTreeMap<UseId, Timestamp>,
    by_end: BTreeSet<(Timestamp, UseId)>,
}

/// There is no room for a use, and all that are there still count.
#[derive(Debug, thiserror::Error)]
#[error("as many uses are spent as can be remembered")]
struct Full;

impl Default for MemorySpent {
    /// Room for 100,000 uses, some 20 MB.
    fn default() -> Self {
        Self::with_room(100_000)
    }
}

impl MemorySpent {
    /// Remembers so many uses at once; one more is refused until another's time is over.
    #[must_use]
    pub fn with_room(most: usize) -> Self {
        Self {
            most,
            uses: Mutex::default(),
        }
    }
}

impl Uses {
    /// Drops the uses whose time is over, so many at most.
    fn sweep(&mut self, at: Timestamp) -> usize {
        let mut swept = 0;
        while swept < SWEEP
            && let Some((end, dead)) = self.by_end.first().copied()
            && end <= at
        {
            self.by_end.pop_first();
            self.ends.remove(&dead);
            swept += 1;
        }
        swept
    }

    fn is_spent(&self, one: &UseId, at: Timestamp) -> bool {
        self.ends.get(one).is_some_and(|end| at < *end)
    }
}

#[async_trait]
impl SpentStore for MemorySpent {
    async fn spend(
        &self,
        uses: &[UseId],
        until: Timestamp,
        at: Timestamp,
    ) -> Result<SpendOutcome, StoreError> {
        let mut spent = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left) = uses.iter().find(|one| !spent.is_spent(one, at)) else {
            return Ok(SpendOutcome::AllSpent);
        };
        spent.sweep(at);
        if spent.ends.len() >= self.most && !spent.ends.contains_key(left) {
            return Err(StoreError::unavailable(Full));
        }
        if let Some(before) = spent.ends.insert(*left, until) {
            spent.by_end.remove(&(before, *left));
        }
        spent.by_end.insert((until, *left));
        Ok(SpendOutcome::Taken(*left))
    }

    async fn sweep_spent(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut spent = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(u64::try_from(spent.sweep(at)).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Id as _, TokenId};

    const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn one(number: u8) -> [UseId; 1] {
        [UseId::of(TokenId::from_random(AT, [number; 10]), "word")]
    }

    #[tokio::test]
    async fn a_full_store_refuses_and_forgets_no_living_use() {
        let later = |seconds| Timestamp::from_seconds(AT.as_seconds() + seconds);
        let store = MemorySpent::with_room(2);
        for number in 1..=2 {
            let end = later(i64::from(number) * 10);
            store.spend(&one(number), end, AT).await.unwrap();
        }
        let refused = store.spend(&one(3), later(99), later(9)).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })));
        for number in 1..=2 {
            let again = store.spend(&one(number), later(99), later(9)).await;
            assert_eq!(again.unwrap(), SpendOutcome::AllSpent);
        }
        // The first one's time is over, and there is room.
        let taken = store.spend(&one(3), later(99), later(10)).await;
        assert_eq!(taken.unwrap(), SpendOutcome::Taken(one(3)[0]));
        assert!(store.spend(&one(4), later(99), later(19)).await.is_err());
    }
}
