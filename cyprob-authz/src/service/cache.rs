//! The bounded memory of tokens whose signatures held.
//!
//! It keeps successes only, by their whole text, and never a decision. One
//! session, or one service account's key, fills at most four places: a holder
//! can attenuate without end, and must not push out what others put in.
//!
//! The text itself is kept and compared, and not a hash that nobody can make
//! collide: comparing takes a tenth of that hash's time. The texts are in the
//! process's memory for as long as they live, as the requests are that bring them.

mod shard;

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use cyprob_core::domain::{KeyId, SessionId, Timestamp};
use foldhash::fast::RandomState;

use self::shard::{Entry, Key, Shard};
use crate::domain::{Claims, VerifiedToken};

const SHARDS: usize = 16;
const PER_HOLDER: usize = 4;
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

pub(crate) struct TokenCache {
    /// Another in each process. It need not withstand who chooses texts: only those of tokens
    /// that held are put in, four of a holder, and they are compared whole.
    hasher: RandomState,
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

/// Without the tokens: whoever prints the access control must not print those.
impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("weight", &self.weight)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

impl TokenCache {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        Self {
            hasher: RandomState::default(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            holders: (0..SHARDS).map(|_| Mutex::default()).collect(),
            weight: AtomicUsize::new(0),
            most: limits.bytes,
            ticks: AtomicU64::new(0),
        }
    }

    /// The token of this text, if it is remembered.
    pub(crate) fn get(&self, text: &[u8]) -> Option<VerifiedToken> {
        let hash = self.hasher.hash_one(text);
        let shard = self.shard(hash)?.read();
        let shard = shard.unwrap_or_else(PoisonError::into_inner);
        let entry = shard.find(hash, text)?;
        entry.used.store(self.tick(), Ordering::Relaxed);
        Some(entry.token.clone())
    }

    /// Remembers a token that held.
    pub(crate) fn insert(&self, text: &[u8], token: VerifiedToken, at: Timestamp) {
        let weight = text.len() + token.narrowings().weight() + OVERHEAD;
        if weight > self.most {
            return;
        }
        let key = Key {
            hash: self.hasher.hash_one(text),
            text: text.into(),
        };
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
                keys.push(key.clone());
                let entry = Entry {
                    key,
                    token,
                    weight,
                    used: AtomicU64::new(self.tick()),
                    place: 0,
                };
                self.place(entry);
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
                keys.retain(|known| *known != key || self.has(known));
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
    #[cfg(feature = "testkit")]
    pub(crate) fn holds(&self, text: &[u8]) -> bool {
        self.has(&Key {
            hash: self.hasher.hash_one(text),
            text: text.into(),
        })
    }

    fn has(&self, key: &Key) -> bool {
        self.shard(key.hash).is_some_and(|shard| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.find(key.hash, &key.text).is_some()
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
            let first = shard_of(key.hash);
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

    fn place(&self, entry: Entry) {
        let weight = entry.weight;
        let replaced = self.shard(entry.key.hash).map(|shard| {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.insert(entry)
        });
        let given_back = match replaced {
            Some(None) => return,
            Some(Some(replaced)) => replaced.weight,
            None => weight,
        };
        self.weight.fetch_sub(given_back, Ordering::AcqRel);
    }

    fn remove(&self, key: &Key) {
        if let Some(shard) = self.shard(key.hash) {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(gone) = shard.remove(key) {
                self.weight.fetch_sub(gone.weight, Ordering::AcqRel);
            }
        }
    }

    fn shard(&self, hash: u64) -> Option<&RwLock<Shard>> {
        self.shards.get(shard_of(hash))
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

/// Which shard; by bits that the table in it does not go by.
const fn shard_of(hash: u64) -> usize {
    (hash >> 32) as usize % SHARDS
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Narrowings, RootKeyId, Verified};
    use crate::testkit::Stand;
    use cyprob_core::domain::RoleName;

    /// A text of a token's length.
    fn text(number: u64) -> Vec<u8> {
        number.to_le_bytes().repeat(75)
    }

    fn insert(cache: &TokenCache, stand: &Stand, number: u64) {
        let token = VerifiedToken::Person(Arc::new(Verified::new(
            RootKeyId::new(1),
            [1; 32],
            stand.claims(Some(stand.org("acme", RoleName::OWNER))),
            Narrowings::compile(Vec::new()),
        )));
        cache.insert(&text(number), token, stand.now());
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
                    cache.get(&text(used));
                }
            }
            insert(&cache, &stand, number);
        }
        let kept = hot.filter(|number| cache.get(&text(*number)).is_some());
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
                let text = text(number / 2);
                cache.remove(&Key {
                    hash: cache.hasher.hash_one(&*text),
                    text: text.into(),
                });
            }
        }
        let mut weight = 0;
        for shard in &cache.shards {
            let shard = shard.read().unwrap();
            assert_eq!(shard.keys.len(), shard.entries.len());
            weight += shard
                .entries
                .iter()
                .map(|entry| entry.weight)
                .sum::<usize>();
            for (place, key) in shard.keys.iter().enumerate() {
                let entry = shard.find(key.hash, &key.text).unwrap();
                assert_eq!(entry.place, place);
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
        let long = [2; 4_000];
        cache.insert(&long, token, stand.now());
        assert!(cache.holds(&text(1)) && !cache.holds(&long));
        assert_eq!(cache.size().0, 1);
    }
}
