//! The deployment's own keys, kept in a secret store.

use std::fmt;
use std::sync::Arc;

use cyprob_authz::adapters::MemoryKeys;
use cyprob_authz::ports::KeyCustody;
use cyprob_core::domain::Timestamp;
use cyprob_core::ports::Entropy;
use cyprob_secrets::domain::{LocalRef, SecretName, SecretRef, SecretValue, SourceVersion};
use cyprob_secrets::ports::{Expected, PutOutcome, SecretError, SecretStore};
use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroizing;

use super::StoredKeys;

/// One key: 256 random bits and the number that tokens and signatures name it by.
#[derive(Clone)]
pub struct DeploymentKey {
    id: u32,
    bytes: Zeroizing<[u8; 32]>,
}

impl DeploymentKey {
    /// The number.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn bytes(&self) -> [u8; 32] {
        *self.bytes
    }

    pub(crate) fn secret(&self) -> SecretBox<[u8; 32]> {
        SecretBox::new(Box::new(self.bytes()))
    }

    fn draw(entropy: &dyn Entropy) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice());
        bytes
    }
}

impl fmt::Debug for DeploymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeploymentKey({}, …)", self.id)
    }
}

/// The keys could not be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The store failed, or refused.
    #[error("the key {name} could not be read or stored")]
    Store {
        /// The key's name in the store.
        name: &'static str,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// The stored value is no key of 32 bytes with a version.
    #[error("the stored value of {name} is not a key: 32 bytes with a version")]
    NotAKey {
        /// The key's name in the store.
        name: &'static str,
    },
}

/// The keys of one deployment, each for one purpose.
#[derive(Clone, Debug)]
pub struct DeploymentKeys {
    pub(crate) token_keys: Arc<dyn KeyCustody>,
    pub(crate) refresh_token: DeploymentKey,
    pub(crate) device_token: DeploymentKey,
    pub(crate) audit_log: DeploymentKey,
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres")),
        expect(dead_code, reason = "only a database's stores seal personal fields")
    )]
    pub(crate) audit_personal: DeploymentKey,
    pub(crate) second_factor: DeploymentKey,
}

impl DeploymentKeys {
    /// Reads the keys, and makes those that are missing; those that sign tokens stay in the store.
    ///
    /// Two processes that start at once end up with the same keys.
    ///
    /// # Errors
    ///
    /// [`KeyError`] with the key's name.
    pub async fn load_or_create(
        store: Arc<dyn SecretStore>,
        entropy: Arc<dyn Entropy>,
        at: Timestamp,
    ) -> Result<Self, KeyError> {
        let token_keys = StoredKeys::new(Arc::clone(&store), Arc::clone(&entropy));
        let (store, entropy) = (store.as_ref(), entropy.as_ref());
        Ok(Self {
            token_keys: Arc::new(token_keys),
            refresh_token: one(store, entropy, at, "keys/refresh-token").await?,
            device_token: one(store, entropy, at, "keys/device-token").await?,
            audit_log: one(store, entropy, at, "keys/audit-log").await?,
            audit_personal: one(store, entropy, at, "keys/audit-personal").await?,
            second_factor: one(store, entropy, at, "keys/second-factor").await?,
        })
    }

    /// Makes keys that live as long as the process: for tests and for stores that forget.
    #[must_use]
    pub fn ephemeral(entropy: &dyn Entropy) -> Self {
        let key = || DeploymentKey {
            id: 1,
            bytes: DeploymentKey::draw(entropy),
        };
        Self {
            token_keys: Arc::new(MemoryKeys::new(key().secret())),
            refresh_token: key(),
            device_token: key(),
            audit_log: key(),
            audit_personal: key(),
            second_factor: key(),
        }
    }

    /// Sets who keeps the keys that sign tokens: a machine that never lets one go, for example.
    #[must_use]
    pub fn with_token_keys(mut self, custody: Arc<dyn KeyCustody>) -> Self {
        self.token_keys = custody;
        self
    }
}

async fn one(
    store: &dyn SecretStore,
    entropy: &dyn Entropy,
    at: Timestamp,
    name: &'static str,
) -> Result<DeploymentKey, KeyError> {
    let failed = |source| KeyError::Store { name, source };
    let not_a_key = KeyError::NotAKey { name };
    let secret_name: SecretName = name.parse().map_err(|_| KeyError::NotAKey { name })?;
    let reference = SecretRef::Local(LocalRef::new(secret_name.clone(), None));
    let mut found = store.read(&reference).await.map_err(failed)?;
    if found.is_none() {
        let fresh = SecretValue::new(DeploymentKey::draw(entropy).to_vec())
            .map_err(|_| KeyError::NotAKey { name })?;
        // A racer that stored first wins; either way the stored one is read back.
        let (PutOutcome::Stored(_) | PutOutcome::Conflict(_)) = store
            .put(&secret_name, &fresh, Expected::Absent, at)
            .await
            .map_err(failed)?;
        found = store.read(&reference).await.map_err(failed)?;
    }
    let Some(found) = found else {
        return Err(not_a_key);
    };
    let id = found
        .version
        .as_ref()
        .and_then(SourceVersion::number)
        .and_then(|version| u32::try_from(version.get()).ok());
    match (<[u8; 32]>::try_from(found.value.expose_secret()), id) {
        (Ok(bytes), Some(id)) => Ok(DeploymentKey {
            id,
            bytes: Zeroizing::new(bytes),
        }),
        _ => Err(not_a_key),
    }
}
