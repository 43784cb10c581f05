//! Reading secrets.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;

use super::SecretError;
use crate::domain::{Scheme, SecretRef, SecretValue, SourceVersion};

/// A secret as it was read.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Its bytes.
    pub value: SecretValue,
    /// Its version, where the source has versions.
    pub version: Option<SourceVersion>,
    /// When this version was stored, where the source says so.
    pub stored_at: Option<Timestamp>,
}

/// A source of secrets that serves references of one scheme.
#[async_trait]
pub trait SecretProvider: Debug + Send + Sync + 'static {
    /// The scheme whose references it serves.
    fn scheme(&self) -> Scheme;

    /// Reads a secret; `None` if there is none, or not this version of it.
    ///
    /// # Errors
    ///
    /// [`SecretError::Unserved`] for a reference of another scheme,
    /// [`SecretError::Refused`], `Damaged` or `WrongKey` for a secret that is
    /// there but cannot be vouched for, `Unavailable` if the source fails.
    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: SecretProvider + ?Sized> SecretProvider for Arc<T> {
    fn scheme(&self) -> Scheme {
        (**self).scheme()
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        (**self).read(reference).await
    }
}
