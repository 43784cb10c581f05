//! The signal that many accounts are tried at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::{Distinct, Subject, Surge, SurgeTurn, ThrottlingPolicy, Timestamp};

/// The watch, and what has changed since it was last asked.
#[derive(Debug)]
struct State {
    surge: Surge,
    turns: Vec<(Timestamp, SurgeTurn)>,
}

#[derive(Debug)]
pub(super) struct Stuffing(Mutex<State>);

impl Stuffing {
    pub(super) fn new(policy: &ThrottlingPolicy) -> Self {
        Self(Mutex::new(State {
            surge: Surge::new(policy.surge_floor(), ThrottlingPolicy::SURGE_FACTOR),
            turns: Vec::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory that it has: one estimator and an hour's minutes.
    pub(super) const fn bytes(&self) -> usize {
        size_of::<Self>() + Distinct::BYTES + 64 * size_of::<u32>()
    }

    pub(super) fn count(&self, name: &Subject, at: Timestamp) {
        let mut state = self.lock();
        let turn = state.surge.count(name, at);
        state.turns.extend(turn.map(|turn| (at, turn)));
    }

    /// What has changed since it was last asked.
    pub(super) fn turns(&self, at: Timestamp) -> Vec<(Timestamp, SurgeTurn)> {
        let mut state = self.lock();
        let turn = state.surge.look(at);
        state.turns.extend(turn.map(|turn| (at, turn)));
        std::mem::take(&mut state.turns)
    }

    /// Keeps what could not be recorded.
    pub(super) fn put_back(&self, mut turns: Vec<(Timestamp, SurgeTurn)>) {
        let mut state = self.lock();
        turns.append(&mut state.turns);
        state.turns = turns;
    }
}
