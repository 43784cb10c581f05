//! Token buckets of any number of keys in a fixed amount of memory.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::{Rate, Timestamp};

/// Buckets in one set; a key has its place in one set.
const WAYS: usize = 8;
/// Sets under one lock.
const STRIPE: usize = 64;

/// One key's bucket; the key is known by 64 bits of a hash that nobody outside can aim at.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    key: u64,
    full_at: Timestamp,
}

const EMPTY: Bucket = Bucket {
    key: 0,
    full_at: Timestamp::UNIX_EPOCH,
};

type Set = [Bucket; WAYS];

/// A table of buckets under one rate.
///
/// A key without a place takes that of the key in its set that owes the least,
/// **with what it owes** (space saving). So nobody is forgotten to their
/// advantage: a key that comes back owes at least what it owed when it was
/// displaced. Who has many addresses can make others of the same set owe more
/// than they do, but only by spending as much of their own eight times over.
#[derive(Debug)]
pub(super) struct Table {
    rate: Rate,
    hasher: RandomState,
    stripes: Box<[Mutex<Box<[Set]>>]>,
}

impl Table {
    pub(super) fn new(rate: Rate, stripes: usize) -> Self {
        let stripe = || Mutex::new(vec![[EMPTY; WAYS]; STRIPE].into_boxed_slice());
        Self {
            rate,
            hasher: RandomState::new(),
            stripes: (0..stripes.max(1)).map(|_| stripe()).collect(),
        }
    }

    /// The memory that it has from the beginning to the end.
    pub(super) fn bytes(&self) -> usize {
        let stripe = size_of::<Set>() * STRIPE + size_of::<Mutex<Box<[Set]>>>();
        self.stripes.len() * stripe
    }

    /// Takes one from a key's bucket.
    pub(super) fn take(&self, key: &impl Hash, at: Timestamp) -> Result<(), Duration> {
        let key = self.hash(key);
        let taken = self.with_set(key, |set| {
            let known = set.iter().position(|bucket| bucket.key == key);
            let place = known.or_else(|| {
                let owes = set.iter().enumerate();
                owes.min_by_key(|(_, bucket)| bucket.full_at)
                    .map(|(place, _)| place)
            });
            let bucket = place.and_then(|place| set.get_mut(place))?;
            bucket.full_at = self.rate.settle(bucket.full_at, at);
            Some(self.rate.take(bucket.full_at, at).map(|full_at| {
                *bucket = Bucket { key, full_at };
            }))
        });
        taken.flatten().unwrap_or(Err(self.rate.every()))
    }

    /// Gives one back, if the key still has its place.
    pub(super) fn give_back(&self, key: &impl Hash) {
        let key = self.hash(key);
        self.with_set(key, |set| {
            if let Some(bucket) = set.iter_mut().find(|bucket| bucket.key == key) {
                bucket.full_at = self.rate.give_back(bucket.full_at);
            }
        });
    }

    fn hash(&self, key: &impl Hash) -> u64 {
        self.hasher.hash_one(key).max(1)
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

    const RATE: Rate = Rate::new(10, Duration::from_secs(1));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn drain(table: &Table, key: u64, at: Timestamp) -> u32 {
        (0..)
            .take_while(|_: &u32| table.take(&key, at).is_ok())
            .count() as u32
    }

    #[test]
    fn each_key_has_a_bucket_of_its_own() {
        let table = Table::new(RATE, 16);
        for key in 0..100 {
            assert_eq!(drain(&table, key, at(0)), 10);
        }
        assert_eq!(table.take(&3_u64, at(0)), Err(Duration::from_secs(1)));
        table.give_back(&3_u64);
        assert_eq!(drain(&table, 3, at(0)), 1);
        assert_eq!(drain(&table, 3, at(3)), 3);
    }

    #[test]
    fn nobody_displaces_their_own_debt_with_many_addresses() {
        let table = Table::new(RATE, 1);
        let bytes = table.bytes();
        let mine = 1_000_000_007_u64;
        assert_eq!(drain(&table, mine, at(0)), 10);
        // As many others as anyone likes, each trying as often as it may, and in between again mine.
        for other in 0..200_000_u64 {
            let _ = table.take(&other, at(0));
            if other % 1_000 == 0 {
                assert!(table.take(&mine, at(0)).is_err(), "after {other}");
            }
        }
        assert!(table.take(&mine, at(0)).is_err());
        assert_eq!(table.bytes(), bytes);
    }

    #[test]
    fn others_of_a_crowded_set_owe_again_nothing_when_the_crowd_is_gone() {
        let table = Table::new(RATE, 1);
        for other in 0..200_000_u64 {
            let _ = table.take(&other, at(0));
        }
        assert!(
            table.take(&u64::MAX, at(0)).is_err(),
            "the price of a full table"
        );
        assert_eq!(drain(&table, u64::MAX, at(10)), 10);
    }

    #[test]
    fn a_clock_set_back_empties_nothing_for_long() {
        let table = Table::new(RATE, 1);
        assert_eq!(drain(&table, 1, at(0)), 10);
        assert!(table.take(&1_u64, at(-1_000_000)).is_err());
        assert_eq!(drain(&table, 1, at(-1_000_000 + 3)), 3);
    }

    #[test]
    fn a_moderate_crowd_takes_nothing_from_others() {
        let table = Table::new(RATE, 16);
        for other in 0..2_000_u64 {
            drain(&table, other, at(0));
        }
        let free = (1_000_000..1_001_000_u64).filter(|key| drain(&table, *key, at(0)) == 10);
        let free = free.count();
        assert!(free > 950, "{free} of 1000 newcomers have a full bucket");
    }
}
