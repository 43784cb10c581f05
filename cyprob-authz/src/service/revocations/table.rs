//! What was revoked, of one kind: read without a lock.

use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};

use cyprob_core::domain::Timestamp;
use foldhash::fast::RandomState;
use papaya::{HashMap, ResizeMode};

/// A table is swept when it has doubled since, and never below this.
const SWEEP_FROM: usize = 64;

/// A map whose readers wait for no writer, however many entries come in.
pub(super) struct Table<K, V> {
    map: HashMap<K, (V, Timestamp), RandomState>,
    sweep_at: AtomicUsize,
}

impl<K: Hash + Eq, V: Copy + Ord> Table<K, V> {
    pub(super) fn new() -> Self {
        let map = HashMap::builder()
            .hasher(RandomState::default())
            // Growing is the writers' work: a reader never copies for them.
            .resize_mode(ResizeMode::Blocking);
        Self {
            map: map.build(),
            sweep_at: AtomicUsize::new(SWEEP_FROM),
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.map.pin().get(key).map(|(value, _)| *value)
    }

    /// Keeps the greater value and the later end; says whether the table wants sweeping.
    pub(super) fn put(&self, key: K, value: V, until: Timestamp) -> bool {
        let map = self.map.pin();
        map.update_or_insert(
            key,
            |(known, end)| (value.max(*known), until.max(*end)),
            (value, until),
        );
        map.len() >= self.sweep_at.load(Ordering::Relaxed)
    }

    /// Drops what ended up to then.
    pub(super) fn sweep(&self, dead: Timestamp) {
        let map = self.map.pin();
        // An entry that was prolonged meanwhile is judged anew, so none that lives is dropped.
        map.retain(|_, (_, until)| *until > dead);
        let next = map.len().saturating_mul(2).max(SWEEP_FROM);
        self.sweep_at.store(next, Ordering::Relaxed);
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }
}
