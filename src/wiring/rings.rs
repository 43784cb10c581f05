//! Token keys out of the deployment's keys.

use std::sync::Arc;

use cyprob_authz::domain::{KeyRing, KeyRingError, RootKeyId};
use cyprob_authz::service::{LiveRing, SigningKey};
use cyprob_core::domain::Timestamp;

use super::DeploymentKey;

/// A key that signs tokens.
pub(crate) fn signing_key(key: &DeploymentKey) -> Arc<SigningKey> {
    Arc::new(SigningKey::new(RootKeyId::new(key.id()), &key.secret()))
}

/// The ring of one key, good at any time.
pub(crate) fn ring(key: &SigningKey) -> Result<LiveRing, KeyRingError> {
    LiveRing::new(KeyRing::new([key.ring_key(Timestamp::UNIX_EPOCH)])?)
}
