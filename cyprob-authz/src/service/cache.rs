//! The bounded memory of tokens whose signatures held.
//!
//! It keeps successes only, by the SHA-256 of all the bytes, and never a
//! decision. One session fills at most four places: a holder can attenuate
//! without end, and must not push out what others put in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use cyprob_core::domain::{SessionId, Timestamp};

use crate::domain::VerifiedToken;

const SHARDS: usize = 16;
const PER_SESSION: usize = 4;
/// How many entries an eviction looks at to find the one least recently used.
const SAMPLE: usize = 8;
/// What an entry costs beside its token's own bytes.
const OVERHEAD: usize = 512;

/// How much the memory may hold.
#[derive(Clone, Copy, Debug)]
pub struct CacheLimits {
    /// Bytes in all, counted generously.
    pub bytes: usize,
}

impl Default for CacheLimits {
    /// 16 MiB: some ten thousand tokens.
    fn default() -> Self {
        Self { bytes: 16 << 20 }
    }
}

type Key = [u8; 32];

#[derive(Debug)]
struct Entry {
    token: Arc<VerifiedToken>,
    weight: usize,
    used: AtomicU64,
}

#[derive(Debug, Default)]
struct Shard {
    entries: HashMap<Key, Entry>,
    weight: usize,
}

#[derive(Debug)]
pub(crate) struct TokenCache {
    shards: Vec<RwLock<Shard>>,
    /// Which keys a session has, oldest first. Locked before a shard, never after.
    sessions: Vec<Mutex<HashMap<SessionId, Vec<Key>>>>,
    shard_bytes: usize,
    ticks: AtomicU64,
}

impl TokenCache {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            sessions: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shard_bytes: limits.bytes / SHARDS,
            ticks: AtomicU64::new(0),
        }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<VerifiedToken>> {
        let shard = self
            .shard(key)?
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let entry = shard.entries.get(key)?;
        entry.used.store(self.tick(), Ordering::Relaxed);
        Some(Arc::clone(&entry.token))
    }

    pub(crate) fn insert(&self, key: Key, bytes: usize, token: Arc<VerifiedToken>, at: Timestamp) {
        let weight = bytes + token.narrowings.weight() + OVERHEAD;
        if weight > self.shard_bytes {
            return;
        }
        let session = token.claims.session;
        let mut evicted = Vec::new();
        if let Some(mut sessions) = self.session_shard(session) {
            let keys = sessions.entry(session).or_default();
            if keys.contains(&key) {
                return;
            }
            if keys.len() >= PER_SESSION {
                let oldest = keys.remove(0);
                self.remove(&oldest);
            }
            keys.push(key);
            let entry = Entry {
                token,
                weight,
                used: AtomicU64::new(self.tick()),
            };
            evicted = self.place(key, entry, at);
        }
        // the session's lock is free again: no two locks of one kind at once
        for (session, key) in evicted {
            if let Some(mut sessions) = self.session_shard(session)
                && let Some(keys) = sessions.get_mut(&session)
            {
                keys.retain(|known| *known != key);
                if keys.is_empty() {
                    sessions.remove(&session);
                }
            }
        }
    }

    /// How many entries, and their weight.
    pub(crate) fn size(&self) -> (usize, usize) {
        self.shards.iter().fold((0, 0), |(count, weight), shard| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            (count + shard.entries.len(), weight + shard.weight)
        })
    }

    fn place(&self, key: Key, entry: Entry, at: Timestamp) -> Vec<(SessionId, Key)> {
        let mut evicted = Vec::new();
        let Some(shard) = self.shard(&key) else {
            return evicted;
        };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        while shard.weight + entry.weight > self.shard_bytes {
            let Some(victim) = victim(&shard, at) else {
                break;
            };
            if let Some(gone) = shard.entries.remove(&victim) {
                shard.weight -= gone.weight;
                evicted.push((gone.token.claims.session, victim));
            }
        }
        shard.weight += entry.weight;
        if let Some(old) = shard.entries.insert(key, entry) {
            shard.weight -= old.weight;
        }
        evicted
    }

    fn remove(&self, key: &Key) {
        if let Some(shard) = self.shard(key) {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(gone) = shard.entries.remove(key) {
                shard.weight -= gone.weight;
            }
        }
    }

    fn shard(&self, key: &Key) -> Option<&RwLock<Shard>> {
        self.shards.get(usize::from(key[0]) % SHARDS)
    }

    fn session_shard(
        &self,
        session: SessionId,
    ) -> Option<MutexGuard<'_, HashMap<SessionId, Vec<Key>>>> {
        let last = usize::from(session.as_bytes()[15]);
        let shard = self.sessions.get(last % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }
}

/// A dead entry among a few, else the least recently used of them.
fn victim(shard: &Shard, at: Timestamp) -> Option<Key> {
    shard
        .entries
        .iter()
        .take(SAMPLE)
        .min_by_key(|(_, entry)| {
            let live = at < entry.token.claims.expires_at;
            (live, entry.used.load(Ordering::Relaxed))
        })
        .map(|(key, _)| *key)
}
