//! Writing secrets.

use std::sync::Arc;

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;

use super::{SecretError, SecretProvider};
use crate::domain::{SecretName, SecretValue, SecretVersion};

/// What the writer believes to be the newest version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There is no value: it was never written, or deleted.
    Absent,
    /// This version is the newest.
    Version(SecretVersion),
}

impl Expected {
    /// The expected newest version, `None` for absence.
    #[must_use]
    pub fn version(self) -> Option<SecretVersion> {
        match self {
            Self::Absent => None,
            Self::Version(version) => Some(version),
        }
    }
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// The value is stored, durably, as this version.
    Stored(SecretVersion),
    /// Nothing changed: the newest version is this one (`None`: there is none).
    Conflict(Option<SecretVersion>),
}

/// A secret as a list names it: never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: SecretName,
    /// Its newest version.
    pub version: SecretVersion,
    /// When that version was stored, where the store knows.
    pub stored_at: Option<Timestamp>,
}

/// A source of secrets that can be written.
///
/// Versions of a name count up from 1 and are never used twice, not even
/// after the name was deleted; a deletion may use a number up. Writes and
/// deletions of a name come one after the other, from whatever process.
#[async_trait]
pub trait SecretStore: SecretProvider {
    /// Stores a value as the next version, if the newest is the expected one.
    ///
    /// Of several writers that expect the same, exactly one stores.
    ///
    /// # Errors
    ///
    /// [`SecretError`]; after `Unavailable` the value may or may not be stored.
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError>;

    /// Removes all versions of a name; `false` if there were none.
    ///
    /// # Errors
    ///
    /// [`SecretError`]; after `Unavailable` they may or may not be gone.
    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError>;

    /// Removes the versions of a name that are older than this one; the newest stays in any case.
    ///
    /// A second call changes nothing.
    ///
    /// # Errors
    ///
    /// [`SecretError`]; after `Unavailable` they may or may not be gone.
    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError>;

    /// The secrets below a name by whole segments, in order of their names; no value is opened to anybody.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the store fails.
    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError>;

    /// The names below a name that take room, in order: those with a value, and those whose secret was
    /// deleted, of which the store keeps which numbers were used.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the store fails.
    async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError>;

    /// The names that have a value, in order.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the store fails.
    async fn names(&self) -> Result<Vec<SecretName>, SecretError>;

    /// The versions of a name that can be read, oldest first.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the store fails.
    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: SecretStore + ?Sized> SecretStore for Arc<T> {
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        (**self).put(name, value, expected, at).await
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        (**self).delete(name).await
    }

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        (**self).delete_before(name, version).await
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        (**self).list(below).await
    }

    async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
        (**self).taken(below).await
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        (**self).names().await
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        (**self).versions(name).await
    }
}
