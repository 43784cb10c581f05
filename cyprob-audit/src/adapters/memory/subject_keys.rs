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
