//! Counters of failures.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{FailureChange, FailureKey, Failures, Timestamp};
use crate::ports::store::{FailureStore, StoreError};

/// One counter; `told` says that its event was recorded.
#[derive(Clone, Copy, Default)]
pub(super) struct Counter {
    failures: Failures,
    told: bool,
}

pub(super) type Counters = BTreeMap<FailureKey, Counter>;

/// The counter that a change makes; none if there is nothing to count.
fn changed(before: Option<&Counter>, change: &FailureChange) -> Option<Counter> {
    let mut counter = before
        .filter(|_| !change.cleared)
        .copied()
        .unwrap_or_default();
    if change.more > 0 {
        counter.failures.count = counter.failures.count.saturating_add(change.more);
        counter.failures.last = Some(change.last);
    }
    (counter.failures.count > 0).then_some(counter)
}

#[async_trait]
impl FailureStore for MemoryStore {
    async fn failures(&self, of: &FailureKey) -> Result<Failures, StoreError> {
        let found = self.read(|state| state.failures.get(of).map(|counter| counter.failures));
        Ok(found.unwrap_or_default())
    }

    async fn add_failures(&self, changes: &[FailureChange], bound: u32) -> Result<(), StoreError> {
        self.write(|state| {
            let mut after = Vec::with_capacity(changes.len());
            let mut events = Vec::new();
            for change in changes {
                let mut counter = changed(state.failures.get(&change.key), change);
                if let (Some(counter), Some(event)) = (&mut counter, &change.at_bound)
                    && counter.failures.count >= bound
                    && !counter.told
                {
                    counter.told = true;
                    events.push(event.clone());
                }
                after.push((change.key, counter));
            }
            state.outbox.admit(&events)?;
            for (key, counter) in after {
                match counter {
                    Some(counter) => state.failures.insert(key, counter),
                    None => state.failures.remove(&key),
                };
            }
            state.outbox.record(&events);
            Ok(())
        })
    }

    async fn clear_failures(
        &self,
        of: &[FailureKey],
        events: &[AuditEvent],
    ) -> Result<bool, StoreError> {
        self.write(|state| {
            if !of.iter().any(|key| state.failures.contains_key(key)) {
                return Ok(false);
            }
            state.outbox.admit(events)?;
            state.failures.retain(|key, _| !of.contains(key));
            state.outbox.record(events);
            Ok(true)
        })
    }

    async fn sweep_failures(
        &self,
        quiet_since: Timestamp,
        bound: u32,
        most: u32,
    ) -> Result<u64, StoreError> {
        Ok(self.write(|state| {
            let before = state.failures.len();
            state.failures.retain(|_, counter| {
                counter.failures.count >= bound || counter.failures.last >= Some(quiet_since)
            });
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let mut by_weight: Vec<_> = state
                .failures
                .iter()
                .map(|(key, counter)| (counter.failures.count, counter.failures.last, *key))
                .collect();
            by_weight.sort_unstable();
            let over = by_weight.len().saturating_sub(most);
            for (.., key) in by_weight.into_iter().take(over) {
                state.failures.remove(&key);
            }
            let gone = before.saturating_sub(state.failures.len());
            u64::try_from(gone).unwrap_or(u64::MAX)
        }))
    }
}
