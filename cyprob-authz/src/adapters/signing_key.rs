//! A key that signs in this process.

use std::fmt;

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;
use ed25519_dalek::Signer as _;
use secrecy::{ExposeSecret, SecretBox};

use crate::domain::{KeyStatus, NewKey, RingKey, RootKeyId};
use crate::ports::{SignError, TokenSigner};

/// An Ed25519 key that signs tokens, with the id by which they name it.
pub struct SigningKey {
    id: RootKeyId,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// Makes the key of a 32-byte secret (the seed of RFC 8032).
    #[must_use]
    pub fn new(id: RootKeyId, secret: &SecretBox<[u8; 32]>) -> Self {
        Self {
            id,
            key: ed25519_dalek::SigningKey::from_bytes(secret.expose_secret()),
        }
    }

    /// Its public half with its id.
    #[must_use]
    pub fn public_half(&self) -> NewKey {
        NewKey {
            id: self.id,
            public: self.key.verifying_key().to_bytes(),
        }
    }

    /// Its entry in a ring: active from this time on.
    #[must_use]
    pub fn ring_key(&self, not_before: Timestamp) -> RingKey {
        RingKey {
            id: self.id,
            public: self.key.verifying_key().to_bytes(),
            not_before,
            not_after: None,
            status: KeyStatus::Active,
        }
    }
}

#[async_trait]
impl TokenSigner for SigningKey {
    fn id(&self) -> RootKeyId {
        self.id
    }

    fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    async fn ready(&self) -> Result<(), SignError> {
        Ok(())
    }

    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(self.key.sign(message).to_bytes())
    }
}

/// Names the key, never its secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
