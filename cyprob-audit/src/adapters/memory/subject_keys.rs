//! Subject keys in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Entropy, EntropyExt as _};
use secrecy::SecretBox;
use zeroize::Zeroizing;

use crate::domain::{KeyOwner, LogId, SubjectKey, SubjectKeyId};
use crate::ports::{SubjectKeyStoreError, SubjectKeys};

type Stored = (SubjectKeyId, Zeroizing<[u8; 32]>);

/// Subject keys in memory, gone with the process.
#[derive(Debug)]
pub struct MemorySubjectKeys {
    entropy: Arc<dyn Entropy>,
    keys: Mutex<BTreeMap<(LogId, KeyOwner), Keys>>,
}

struct Keys(Stored);

/// Shows the id alone.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.0.fmt(f)
    }
}

impl MemorySubjectKeys {
    /// A store without keys.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self {
            entropy,
            keys: Mutex::default(),
        }
    }

    /// Destroys the key of an owner; what it sealed stays sealed for ever.
    pub fn destroy(&self, log: LogId, owner: KeyOwner) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&(log, owner));
    }
}

fn give((id, secret): &Stored) -> SubjectKey {
    SubjectKey {
        id: *id,
        secret: SecretBox::new(Box::new(**secret)),
    }
}

#[async_trait]
impl SubjectKeys for MemorySubjectKeys {
    async fn obtain(
        &self,
        log: LogId,
        owner: KeyOwner,
        _at: Timestamp,
    ) -> Result<SubjectKey, SubjectKeyStoreError> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = keys.entry((log, owner)).or_insert_with(|| {
            let id = SubjectKeyId::from_bytes(self.entropy.bytes());
            Keys((id, Zeroizing::new(self.entropy.bytes())))
        });
        Ok(give(&stored.0))
    }

    async fn find(
        &self,
        log: LogId,
        key: SubjectKeyId,
    ) -> Result<Option<SubjectKey>, SubjectKeyStoreError> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(keys
            .iter()
            .find(|((of, _), stored)| *of == log && stored.0.0 == key)
            .map(|(_, stored)| give(&stored.0)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use cyprob_core::domain::{Id as _, UserId};
    use secrecy::ExposeSecret as _;

    use super::*;

    /// Counts up.
    #[derive(Debug, Default)]
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    #[tokio::test]
    async fn each_owner_has_a_key_of_its_own_in_each_log() {
        let at = Timestamp::from_seconds(1);
        let keys = MemorySubjectKeys::new(Arc::new(Counting::default()));
        let person = KeyOwner::Person(UserId::from_random(at, [1; 10]));
        let other = KeyOwner::Person(UserId::from_random(at, [2; 10]));
        let org = LogId::Org(cyprob_core::domain::OrgId::from_random(at, [3; 10]));
        let mut seen = Vec::new();
        for log in [LogId::System, org] {
            for owner in [person, other, KeyOwner::Log] {
                let key = keys.obtain(log, owner, at).await.unwrap();
                let again = keys.obtain(log, owner, at).await.unwrap();
                assert_eq!(key.id, again.id);
                assert_eq!(key.secret.expose_secret(), again.secret.expose_secret());
                assert!(!seen.contains(&key.id));
                seen.push(key.id);
                assert!(keys.find(log, key.id).await.unwrap().is_some());
            }
        }
        // A key is found in its own log alone.
        assert!(keys.find(org, seen[0]).await.unwrap().is_none());
        keys.destroy(LogId::System, person);
        assert!(keys.find(LogId::System, seen[0]).await.unwrap().is_none());
        let fresh = keys.obtain(LogId::System, person, at).await.unwrap();
        assert!(!seen.contains(&fresh.id));
    }
}
