//! The store and its one lock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::state::State;

/// A store in memory. Clones share it; it is gone with the last of them.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    recorded: watch::Sender<u64>,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                recorded: watch::Sender::new(0),
            }),
        }
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sees a new number after each change that recorded an event.
    #[must_use]
    pub fn outbox_signal(&self) -> watch::Receiver<u64> {
        self.shared.recorded.subscribe()
    }

    /// Looks at the state.
    pub(super) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state in one step.
    ///
    /// INVARIANT: `change` checks everything that can fail before it changes anything.
    pub(super) fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let before = state.outbox.recorded();
        let done = change(&mut state);
        let after = state.outbox.recorded();
        drop(state);
        if before != after {
            self.shared
                .recorded
                .send_modify(|number| *number = number.wrapping_add(1));
        }
        done
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
