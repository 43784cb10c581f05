//! Counters of failures in memory, between two writes to the store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::{FailureChange, FailureKey, Failures, ThrottlingPolicy, Timestamp, UserId};

/// Most counters at once; those that the store has as well give way when it is full.
const MOST: usize = 14_000;
/// Places made for them: a hash table that is at most half full makes no more, whatever comes and goes.
const PLACES: usize = 32_768;

/// One counter as this node knows it.
#[derive(Clone, Debug)]
struct Counter {
    /// As the store had it, or has it once it was told.
    stored: Failures,
    read_at: Timestamp,
    /// What the store was not told yet: a success, then these.
    cleared: bool,
    more: Failures,
    /// The store is being told: what it answers to a reader is neither old nor new.
    telling: bool,
    /// Attempts that have not ended.
    under_way: u32,
    user: Option<UserId>,
}

impl Counter {
    fn failures(&self) -> Failures {
        let before = if self.cleared {
            Failures::default()
        } else {
            self.stored
        };
        Failures {
            count: before.count.saturating_add(self.more.count),
            last: self.more.last.or(before.last),
        }
    }

    const fn is_dirty(&self) -> bool {
        self.cleared || self.more.count > 0
    }

    /// Requests of one moment read the clock one after the other, so a little earlier is as good.
    fn is_fresh(&self, at: Timestamp) -> bool {
        let apart = at.since(self.read_at).max(self.read_at.since(at));
        self.telling || apart < ThrottlingPolicy::FLUSH_EVERY
    }

    fn clear(&mut self) {
        self.more = Failures::default();
        // What nobody ever counted needs no write.
        self.cleared = self.cleared || self.stored.count > 0 || self.telling;
    }
}

/// No place is left, and no counter can give way: the store has not been reached for long.
#[derive(Debug)]
pub(super) struct Full;

/// The counters that were looked at or changed within a few seconds.
#[derive(Debug)]
pub(super) struct Counters(Mutex<HashMap<FailureKey, Counter>>);

impl Default for Counters {
    fn default() -> Self {
        Self(Mutex::new(HashMap::with_capacity(PLACES / 8 * 7)))
    }
}

impl Counters {
    fn lock(&self) -> MutexGuard<'_, HashMap<FailureKey, Counter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory that it has from the beginning to the end.
    pub(super) const fn bytes() -> usize {
        // A hash table has a byte of its own for each place.
        PLACES * (size_of::<(FailureKey, Counter)>() + 1)
    }

    /// What a counter says, if it is known well enough.
    pub(super) fn failures(&self, key: &FailureKey, at: Timestamp) -> Option<Failures> {
        let counters = self.lock();
        let counter = counters.get(key).filter(|counter| counter.is_fresh(at))?;
        Some(counter.failures())
    }

    /// Begins an attempt, unless `judge` makes it wait; `None` if the counter must be read first.
    pub(super) fn enter(
        &self,
        key: &FailureKey,
        at: Timestamp,
        judge: impl FnOnce(&Failures, u32) -> Duration,
    ) -> Option<Result<(), Duration>> {
        let mut counters = self.lock();
        let counter = counters
            .get_mut(key)
            .filter(|counter| counter.is_fresh(at))?;
        let wait = judge(&counter.failures(), counter.under_way);
        if wait > Duration::ZERO {
            return Some(Err(wait));
        }
        counter.under_way = counter.under_way.saturating_add(1);
        Some(Ok(()))
    }

    /// Takes in what the store says.
    pub(super) fn read(
        &self,
        key: FailureKey,
        stored: Failures,
        at: Timestamp,
    ) -> Result<(), Full> {
        let mut counters = self.lock();
        if let Some(counter) = counters.get_mut(&key) {
            if !counter.telling {
                counter.stored = stored;
                counter.read_at = at;
            }
            return Ok(());
        }
        if counters.len() >= MOST {
            prune(&mut counters, None);
        }
        if counters.len() >= MOST {
            return Err(Full);
        }
        let counter = Counter {
            stored,
            read_at: at,
            cleared: false,
            more: Failures::default(),
            telling: false,
            under_way: 0,
            user: None,
        };
        counters.insert(key, counter);
        Ok(())
    }

    /// Ends an attempt without a result.
    pub(super) fn leave(&self, key: &FailureKey) {
        self.with(key, |counter| {
            counter.under_way = counter.under_way.saturating_sub(1);
        });
    }

    /// Ends an attempt that failed.
    pub(super) fn fail(&self, key: &FailureKey, user: Option<UserId>, at: Timestamp) {
        self.with(key, |counter| {
            counter.under_way = counter.under_way.saturating_sub(1);
            counter.more.count = counter.more.count.saturating_add(1);
            counter.more.last = Some(at);
            counter.user = user;
        });
    }

    /// Ends an attempt that succeeded.
    pub(super) fn succeed(&self, key: &FailureKey) {
        self.with(key, |counter| {
            counter.under_way = counter.under_way.saturating_sub(1);
            counter.clear();
        });
    }

    /// Sets a counter that is known to nought.
    pub(super) fn clear(&self, key: &FailureKey) {
        self.with(key, Counter::clear);
    }

    /// Forgets what was counted or read, since the store was set to nought.
    pub(super) fn forget(&self, key: &FailureKey, at: Timestamp) {
        self.with(key, |counter| {
            counter.stored = Failures::default();
            counter.read_at = at;
            counter.cleared = false;
            counter.more = Failures::default();
        });
    }

    fn with(&self, key: &FailureKey, work: impl FnOnce(&mut Counter)) {
        if let Some(counter) = self.lock().get_mut(key) {
            work(counter);
        }
    }

    /// Takes what the store was not told, and drops what it can tell again.
    pub(super) fn drain(&self, at: Timestamp) -> Vec<(FailureChange, Failures)> {
        let mut counters = self.lock();
        prune(&mut counters, Some(at));
        let dirty = counters
            .iter_mut()
            .filter(|(_, c)| c.is_dirty() && !c.telling);
        dirty
            .map(|(key, counter)| {
                let all = counter.failures();
                let change = FailureChange {
                    key: *key,
                    cleared: counter.cleared,
                    more: counter.more.count,
                    last: counter.more.last.unwrap_or(at),
                    at_bound: None,
                    user: counter.user,
                };
                counter.stored = all;
                counter.cleared = false;
                counter.more = Failures::default();
                counter.telling = true;
                (change, all)
            })
            .collect()
    }

    /// The store has taken the changes.
    pub(super) fn told(&self, changes: &[FailureChange]) {
        for change in changes {
            self.with(&change.key, |counter| counter.telling = false);
        }
    }

    /// The store has not taken the changes: they are counted again.
    pub(super) fn put_back(&self, changes: &[FailureChange]) {
        for change in changes {
            self.with(&change.key, |counter| {
                counter.telling = false;
                // A success since then has undone them.
                if counter.cleared {
                    return;
                }
                let more = change.more.saturating_add(counter.more.count);
                counter.stored.count = counter.stored.count.saturating_sub(change.more);
                counter.cleared = change.cleared;
                counter.more.count = more;
                if change.more > 0 {
                    counter.more.last = counter.more.last.or(Some(change.last));
                }
            });
        }
    }
}

/// Drops counters that say nothing which the store does not.
fn prune(counters: &mut HashMap<FailureKey, Counter>, fresh_at: Option<Timestamp>) {
    counters.retain(|_, counter| {
        let fresh = fresh_at.is_some_and(|at| counter.is_fresh(at));
        counter.is_dirty() || counter.telling || counter.under_way > 0 || fresh
    });
}

#[cfg(test)]
mod tests;
