//! A part of the memory of tokens, under one lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cyprob_core::domain::Timestamp;
use hashbrown::HashTable;

use crate::domain::VerifiedToken;

/// How many entries an eviction draws to find the one least recently used.
const SAMPLE: u64 = 8;

/// A token's text and its place in the tables; clones share the text.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) hash: u64,
    pub(super) text: Arc<[u8]>,
}

impl Key {
    fn is(&self, hash: u64, text: &[u8]) -> bool {
        self.hash == hash && *self.text == *text
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.hash, &other.text)
    }
}

pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) token: VerifiedToken,
    pub(super) weight: usize,
    pub(super) used: AtomicU64,
    /// Its key's place in the shard's list.
    pub(super) place: usize,
}

#[derive(Default)]
pub(super) struct Shard {
    pub(super) entries: HashTable<Entry>,
    /// The keys of `entries` in no order, so that some can be drawn.
    pub(super) keys: Vec<Key>,
}

impl Shard {
    pub(super) fn find(&self, hash: u64, text: &[u8]) -> Option<&Entry> {
        self.entries.find(hash, |entry| entry.key.is(hash, text))
    }

    /// Puts an entry in; gives the one that it replaces.
    pub(super) fn insert(&mut self, mut entry: Entry) -> Option<Entry> {
        let replaced = self.remove(&entry.key);
        entry.place = self.keys.len();
        self.keys.push(entry.key.clone());
        let hash = entry.key.hash;
        self.entries
            .insert_unique(hash, entry, |entry| entry.key.hash);
        replaced
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Entry> {
        let found = self.entries.find_entry(key.hash, |entry| entry.key == *key);
        let (gone, _) = found.ok()?.remove();
        // INVARIANT: every entry's place is where its key stands; the last key fills the gap
        self.keys.swap_remove(gone.place);
        if let Some(moved) = self.keys.get(gone.place)
            && let Some(entry) = self
                .entries
                .find_mut(moved.hash, |entry| entry.key == *moved)
        {
            entry.place = gone.place;
        }
        Some(gone)
    }

    /// A dead entry among a few that are drawn, else the least recently used of them.
    ///
    /// Drawn anew each time: whoever always looked at the same few would evict
    /// what just came in and keep what nobody uses.
    pub(super) fn victim(&self, at: Timestamp, tick: u64) -> Option<Key> {
        let drawn = (0..SAMPLE).filter_map(|number| {
            let place = mixed(tick.wrapping_mul(SAMPLE).wrapping_add(number));
            let place = place.checked_rem(self.keys.len() as u64)?;
            let key = self.keys.get(usize::try_from(place).ok()?)?;
            Some((key, self.find(key.hash, &key.text)?))
        });
        drawn
            .min_by_key(|(_, entry)| {
                let live = at < entry.token.claims().expires_at();
                (live, entry.used.load(Ordering::Relaxed))
            })
            .map(|(key, _)| key.clone())
    }
}

/// Spreads a counter over all numbers (SplitMix64).
const fn mixed(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
