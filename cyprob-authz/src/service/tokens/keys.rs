//! Rings that change while requests run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use biscuit_auth::PublicKey;
use biscuit_auth::builder::Algorithm;
use cyprob_core::domain::Timestamp;

use crate::domain::{KeyRing, KeyRingError, KeyStatus, RingKey, RootKeyId};

struct Loaded {
    ring: KeyRing,
    keys: BTreeMap<RootKeyId, PublicKey>,
}

impl Loaded {
    fn new(ring: KeyRing) -> Result<Self, KeyRingError> {
        let mut keys = BTreeMap::new();
        // One that was revoked verifies nothing, and must not keep the others from it.
        let used = |key: &&RingKey| key.status != KeyStatus::Revoked;
        for key in ring.iter().filter(used) {
            let public = PublicKey::from_bytes(&key.public, Algorithm::Ed25519)
                .map_err(|_| KeyRingError::BadKey(key.id))?;
            keys.insert(key.id, public);
        }
        Ok(Self { ring, keys })
    }
}

/// Whether the bytes are an Ed25519 public key.
pub(in crate::service) fn is_public_key(public: &[u8; 32]) -> bool {
    PublicKey::from_bytes(public, Algorithm::Ed25519).is_ok()
}

/// The ring of one purpose, as it is at this moment; clones share it.
#[derive(Clone)]
pub struct LiveRing(Arc<RwLock<Arc<Loaded>>>);

impl LiveRing {
    /// Puts a ring to work.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::BadKey`] if the bytes of a key that was not revoked are
    /// no Ed25519 public key.
    pub fn new(ring: KeyRing) -> Result<Self, KeyRingError> {
        Ok(Self(Arc::new(RwLock::new(Arc::new(Loaded::new(ring)?)))))
    }

    /// Replaces the ring; tokens of a key that left or was revoked are refused from now on.
    ///
    /// # Errors
    ///
    /// As [`LiveRing::new`]; the old ring stays then.
    pub fn replace(&self, ring: KeyRing) -> Result<(), KeyRingError> {
        let loaded = Arc::new(Loaded::new(ring)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// The ring as it is now.
    #[must_use]
    pub fn current(&self) -> KeyRing {
        self.loaded().ring.clone()
    }

    fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key of this id and its bytes, if it verifies at this time.
    pub(super) fn verifying(&self, id: RootKeyId, at: Timestamp) -> Option<(PublicKey, [u8; 32])> {
        let loaded = self.loaded();
        let key = loaded.ring.get(id).filter(|key| key.verifies(at))?;
        Some((*loaded.keys.get(&id)?, key.public))
    }

    /// Whether the key of this id is this one, and verifies at this time.
    pub(super) fn verifies(&self, id: RootKeyId, public: &[u8; 32], at: Timestamp) -> bool {
        let loaded = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let key = loaded.ring.get(id);
        key.is_some_and(|key| key.public == *public && key.verifies(at))
    }
}

impl fmt::Debug for LiveRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveRing")
            .field(&self.loaded().ring)
            .finish()
    }
}
