//! Secrets in a directory, encrypted under a master key.
//!
//! One file holds one version: a header (format, kind, key id, version, time)
//! and the value under XChaCha20-Poly1305, whose associated data are the
//! header and the secret's name; the key is derived from the master key and
//! the store's own random id by HKDF-SHA-256 (RFC 5869). A second file per
//! name lists its versions, so that a missing one is noticed. Every file is
//! written beside its place, synced, and renamed into it.
//!
//! What it cannot notice: all files of one name, or the whole directory, put
//! back to an earlier state together. Keep the directory and its backups as
//! you would keep the key.

mod dir;
mod format;
mod key;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;
use cyprob_core::ports::Entropy;

use crate::domain::{MasterKey, Scheme, SecretName, SecretRef, SecretValue, SecretVersion};
use crate::ports::{Expected, PutOutcome, Secret, SecretError, SecretProvider, SecretStore};
use store::Inner;

/// Where a local store's master key comes from.
#[derive(Debug)]
pub enum KeySource {
    /// A key that the host has, for example from a resolved reference.
    Given(MasterKey),
    /// A private file of 64 hexadecimal digits, made when the store is.
    ///
    /// Keep it outside the store's directory and its backups, or the
    /// encryption protects nothing.
    File(PathBuf),
}

/// An encrypted store in a directory of its own; it serves `local://` references.
///
/// Any number of threads and processes may use one directory: a file lock
/// orders their writes. Clones share the opened directory.
#[derive(Clone)]
pub struct LocalStore {
    inner: Arc<Inner>,
}

impl LocalStore {
    /// Opens the store in a directory, or makes it there.
    ///
    /// The directory is made with mode 0700 if it is missing; its parent must
    /// exist. Opening twice gives two handles to one store. It blocks for a
    /// few file system calls.
    ///
    /// # Errors
    ///
    /// [`SecretError::UnsafeStore`] if others can reach the directory or key
    /// file, `WrongKey` if the store was made under another key, `KeyMissing`
    /// if the store exists but the key file does not, `Damaged` if its marker
    /// is not as written, `Unavailable` if the file system fails.
    pub fn open(
        directory: &Path,
        key: KeySource,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SecretError> {
        let inner = Arc::new(Inner::open(directory, key, entropy)?);
        Ok(Self { inner })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, SecretError> + Send + 'static,
    ) -> Result<T, SecretError> {
        let inner = Arc::clone(&self.inner);
        super::blocking::run(move || work(&inner)).await
    }
}

impl fmt::Debug for LocalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl SecretProvider for LocalStore {
    fn scheme(&self) -> Scheme {
        Scheme::Local
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let SecretRef::Local(local) = reference else {
            let scheme = reference.scheme();
            return Err(SecretError::Unserved { scheme });
        };
        let (name, version) = (local.name().clone(), local.version());
        self.run(move |inner| inner.read(&name, version)).await
    }
}

#[async_trait]
impl SecretStore for LocalStore {
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        let (name, value) = (name.clone(), value.clone());
        self.run(move |inner| inner.put(&name, &value, expected, at))
            .await
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        let name = name.clone();
        self.run(move |inner| inner.delete(&name)).await
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        self.run(Inner::names).await
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        let name = name.clone();
        self.run(move |inner| inner.versions(&name)).await
    }
}
