//! The bounded memory of tokens whose signatures held.
//!
//! It keeps successes only, by the SHA-256 of the whole text, and never a
//! decision. One session, or one service account's key, fills at most four
//! places: a holder can attenuate without end, and must not push out what
//! others put in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use cyprob_core::domain::{KeyId, SessionId, Timestamp};
use foldhash::fast::RandomState;

use crate::domain::{Claims, VerifiedToken};

const SHARDS: usize = 16;
const PER_HOLDER: usize = 4;
/// How many entries an eviction draws to find the one least recently used.
const SAMPLE: u64 = 8;
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

/// Whose places a token fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Session(SessionId),
    ServiceKey(KeyId),
}

impl Holder {
    fn of(token: &VerifiedToken) -> Self {
        match token.claims() {
            Claims::Person(claims) => Self::Session(claims.session),
            Claims::Service(claims) => Self::ServiceKey(claims.key),
        }
    }

    const fn last_byte(&self) -> u8 {
        match self {
            Self::Session(id) => id.as_bytes()[15],
            Self::ServiceKey(id) => id.as_bytes()[15],
        }
    }
}

#[derive(Debug)]
struct Entry {
    token: VerifiedToken,
    weight: usize,
    used: AtomicU64,
    /// Its key's place in the shard's list.
    place: usize,
}

#[derive(Debug, Default)]
struct Shard {
    entries: HashMap<Key, Entry, RandomState>,
    /// The keys of `entries` in no order, so that some can be drawn.
    keys: Vec<Key>,
}

#[derive(Debug)]
pub(crate) struct TokenCache {
    shards: Vec<RwLock<Shard>>,
    /// Which keys a holder has, oldest first. Locked before a shard, never after.
    holders: Vec<Mutex<HashMap<Holder, Vec<Key>>>>,
    /// What all entries weigh, and may weigh.
    ///
    /// It is one sum for all shards: who replaces an entry of their own takes the room that
    /// it leaves, in whatever shard it was, and nobody else's.
    weight: AtomicUsize,
    most: usize,
    ticks: AtomicU64,
}

impl TokenCache {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            holders: (0..SHARDS).map(|_| Mutex::default()).collect(),
            weight: AtomicUsize::new(0),
            most: limits.bytes,
            ticks: AtomicU64::new(0),
        }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<VerifiedToken> {
        let shard = self
            .shard(key)?
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let entry = shard.entries.get(key)?;
        entry.used.store(self.tick(), Ordering::Relaxed);
        Some(entry.token.clone())
    }

    pub(crate) fn insert(&self, key: Key, bytes: usize, token: VerifiedToken, at: Timestamp) {
        let weight = bytes + token.narrowings().weight() + OVERHEAD;
        if weight > self.most {
            return;
        }
        let holder = Holder::of(&token);
        let mut evicted = Vec::new();
        if let Some(mut holders) = self.holder_shard(holder) {
            let keys = holders.entry(holder).or_default();
            if keys.contains(&key) {
                return;
            }
            if keys.len() >= PER_HOLDER {
                let oldest = keys.remove(0);
                self.remove(&oldest);
            }
            if self.reserve(&key, weight, at, &mut evicted) {
                keys.push(key);
                let entry = Entry {
                    token,
                    weight,
                    used: AtomicU64::new(self.tick()),
                    place: 0,
                };
                self.place(key, entry);
            } else if keys.is_empty() {
                holders.remove(&holder);
            }
        }
        // the holder's lock is free again: no two locks of one kind at once
        for (holder, key) in evicted {
            if let Some(mut holders) = self.holder_shard(holder)
                && let Some(keys) = holders.get_mut(&holder)
            {
                // It may have come back meanwhile.
                keys.retain(|known| *known != key || self.holds(known));
                if keys.is_empty() {
                    holders.remove(&holder);
                }
            }
        }
    }

    /// How many entries, and their weight.
    pub(crate) fn size(&self) -> (usize, usize) {
        let count = self.shards.iter().map(|shard| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.entries.len()
        });
        (count.sum(), self.weight.load(Ordering::Acquire))
    }

    /// Whether a token's text is remembered; looking does not count as using it.
    pub(crate) fn holds(&self, key: &Key) -> bool {
        self.shard(key).is_some_and(|shard| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.entries.contains_key(key)
        })
    }

    /// Makes room for an entry and takes it; what had to go is told. Without room nothing is taken.
    fn reserve(
        &self,
        key: &Key,
        weight: usize,
        at: Timestamp,
        evicted: &mut Vec<(Holder, Key)>,
    ) -> bool {
        // INVARIANT: the sum rises before an entry comes and falls after one went
        while self
            .weight
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |all| {
                let all = all.checked_add(weight)?;
                (all <= self.most).then_some(all)
            })
            .is_err()
        {
            // Where the newcomer goes, or in the next shard that has anything.
            let first = usize::from(key[0]);
            let gone = (first..first + SHARDS).find_map(|shard| self.evict(shard % SHARDS, at));
            let Some(gone) = gone else {
                return false;
            };
            evicted.push(gone);
        }
        true
    }

    fn evict(&self, shard: usize, at: Timestamp) -> Option<(Holder, Key)> {
        let shard = self.shards.get(shard)?;
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        let victim = shard.victim(at, self.tick())?;
        let gone = shard.remove(&victim)?;
        self.weight.fetch_sub(gone.weight, Ordering::AcqRel);
        Some((Holder::of(&gone.token), victim))
    }

    fn place(&self, key: Key, entry: Entry) {
        let weight = entry.weight;
        let replaced = self.shard(&key).map(|shard| {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.insert(key, entry)
        });
        let given_back = match replaced {
            Some(None) => return,
            Some(Some(replaced)) => replaced.weight,
            None => weight,
        };
        self.weight.fetch_sub(given_back, Ordering::AcqRel);
    }

    fn remove(&self, key: &Key) {
        if let Some(shard) = self.shard(key) {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(gone) = shard.remove(key) {
                self.weight.fetch_sub(gone.weight, Ordering::AcqRel);
            }
        }
    }

    fn shard(&self, key: &Key) -> Option<&RwLock<Shard>> {
        self.shards.get(usize::from(key[0]) % SHARDS)
    }

    fn holder_shard(&self, holder: Holder) -> Option<MutexGuard<'_, HashMap<Holder, Vec<Key>>>> {
        let last = usize::from(holder.last_byte());
        let shard = self.holders.get(last % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }
}

impl Shard {
    /// Puts an entry in; gives the one that it replaces.
    fn insert(&mut self, key: Key, mut entry: Entry) -> Option<Entry> {
        let replaced = self.remove(&key);
        entry.place = self.keys.len();
        self.keys.push(key);
        self.entries.insert(key, entry);
        replaced
    }

    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let gone = self.entries.remove(key)?;
        // INVARIANT: every entry's place is where its key stands; the last key fills the gap
        self.keys.swap_remove(gone.place);
        if let Some(moved) = self.keys.get(gone.place)
            && let Some(entry) = self.entries.get_mut(moved)
        {
            entry.place = gone.place;
        }
        Some(gone)
    }

    /// A dead entry among a few that are drawn, else the least recently used of them.
    ///
    /// Drawn anew each time: whoever always looked at the same few would evict
    /// what just came in and keep what nobody uses.
    fn victim(&self, at: Timestamp, tick: u64) -> Option<Key> {
        let drawn = (0..SAMPLE).filter_map(|number| {
            let place = mixed(tick.wrapping_mul(SAMPLE).wrapping_add(number));
            let place = place.checked_rem(self.keys.len() as u64)?;
            let key = self.keys.get(usize::try_from(place).ok()?)?;
            Some((key, self.entries.get(key)?))
        });
        drawn
            .min_by_key(|(_, entry)| {
                let live = at < entry.token.claims().expires_at();
                (live, entry.used.load(Ordering::Relaxed))
            })
            .map(|(key, _)| *key)
    }
}

/// Spreads a counter over all numbers (SplitMix64).
const fn mixed(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use cyprob_core::domain::RoleName;
    use sha2::{Digest as _, Sha256};

    use std::sync::Arc;

    use super::*;
    use crate::domain::{Narrowings, RootKeyId, Verified};
    use crate::testkit::Stand;

    fn key(number: u64) -> Key {
        Sha256::digest(number.to_le_bytes()).into()
    }

    fn insert(cache: &TokenCache, stand: &Stand, number: u64) {
        let token = VerifiedToken::Person(Arc::new(Verified::new(
            RootKeyId::new(1),
            [1; 32],
            stand.claims(Some(stand.org("acme", RoleName::OWNER))),
            Narrowings::compile(Vec::new()),
        )));
        cache.insert(key(number), 600, token, stand.now());
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let stand = Stand::new(3);
        let cache = TokenCache::new(CacheLimits { bytes: 1 << 20 });
        // more than it holds, and nobody asks for them again
        for number in 0..3_000 {
            insert(&cache, &stand, number);
        }
        let hot = 10_000..10_200;
        for number in hot.clone() {
            insert(&cache, &stand, number);
        }
        for number in 20_000..23_000 {
            if number % 100 == 0 {
                for used in hot.clone() {
                    cache.get(&key(used));
                }
            }
            insert(&cache, &stand, number);
        }
        let kept = hot.filter(|number| cache.get(&key(*number)).is_some());
        let kept = kept.count();
        assert!(kept >= 190, "{kept} of 200");
        let (count, weight) = cache.size();
        assert!(weight <= 1 << 20 && count > 850, "{count} {weight}");
    }

    #[test]
    fn the_lists_of_a_shard_agree_whatever_goes() {
        let stand = Stand::new(3);
        let cache = TokenCache::new(CacheLimits { bytes: 1 << 20 });
        for number in 0..2_000 {
            insert(&cache, &stand, number);
            if number % 3 == 0 {
                cache.remove(&key(number / 2));
            }
        }
        let mut weight = 0;
        for shard in &cache.shards {
            let shard = shard.read().unwrap();
            assert_eq!(shard.keys.len(), shard.entries.len());
            weight += shard
                .entries
                .values()
                .map(|entry| entry.weight)
                .sum::<usize>();
            for (place, key) in shard.keys.iter().enumerate() {
                assert_eq!(shard.entries[key].place, place);
            }
        }
        assert_eq!(cache.size().1, weight);
    }

    #[test]
    fn what_is_larger_than_the_memory_is_not_remembered_and_costs_nobody_their_place() {
        let stand = Stand::new(3);
        let cache = TokenCache::new(CacheLimits { bytes: 2_000 });
        insert(&cache, &stand, 1);
        let token = VerifiedToken::Person(Arc::new(Verified::new(
            RootKeyId::new(1),
            [1; 32],
            stand.claims(None),
            Narrowings::compile(Vec::new()),
        )));
        cache.insert(key(2), 4_000, token, stand.now());
        assert!(cache.holds(&key(1)) && !cache.holds(&key(2)));
        assert_eq!(cache.size().0, 1);
    }
}
