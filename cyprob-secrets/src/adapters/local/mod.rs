//! Secrets in a directory, encrypted under a master key.
//!
//! One file holds one version: a header (format, kind, key id, version, time)
//! and the value under XChaCha20-Poly1305, whose associated data are the
//! store's id, the header and the secret's name. A second file per name lists
//! its versions, so that a missing one is noticed. Every file is written beside
//! its place, synced, and renamed into it.
//!
//! The files are sealed under a random data key, which lies in the key ring, a
//! file that the master key wraps. There is one data key for the whole store and
//! not one for each secret: the master key is replaced by writing one file,
//! which a rename does whole or not at all, and a data key that leaked or served
//! its time has to be replaced for all it sealed anyway. While that goes on the
//! ring holds two keys, the one that seals and the one that retires, and each
//! file names its own. XChaCha20's random nonces of 24 bytes set no bound to
//! what one key may seal.
//!
//! Every operation looks at the ring under the lock, so that a handle follows a
//! rotation of another process, and never seals under a key that is gone.
//!
//! A store of the first format, in which the data key is derived from the master
//! key, is used as it is; its first rotation of either kind brings it to this
//! one. Only then do programs from before it fail to read it.
//!
//! What it cannot notice: all files of one name, or the whole directory, put
//! back to an earlier state together, in a process that opens it afterwards.
//! Keep the directory and its backups as you would keep the key. What is
//! replaced or removed may stay on the medium until it is written over.

mod dir;
#[cfg(test)]
mod faults;
mod format;
mod held;
mod key;
mod keys;
mod ring;
mod rotate;
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
use crate::ports::{
    Expected, Listed, PutOutcome, Secret, SecretError, SecretProvider, SecretStore,
};
use store::Inner;

/// Where a local store's master key comes from.
#[derive(Debug)]
pub enum KeySource {
    /// A key that the host has, for example from a resolved reference.
    Given(MasterKey),
    /// A private file of 64 hexadecimal digits, made when the store is.
    ///
    /// Keep it outside the store's directory and its backups, or the
    /// encryption protects nothing. A rotation keeps the keys that it replaces
    /// beside it, each as this name with a dot and the key's id.
    File(PathBuf),
}

/// A master key was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rewrapped {
    /// The file in which the key from before is kept, if it was in a file.
    pub before: Option<PathBuf>,
    /// Whether files are still sealed under an earlier data key: see [`LocalStore::reencrypt`].
    pub reencryption_due: bool,
}

/// A data key was replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reencrypted {
    /// The files, values and lists, that were sealed under the new key now.
    pub resealed: u64,
    /// Those that were already: written meanwhile, or by a run that did not end.
    pub already: u64,
}

/// Draws a master key.
#[must_use]
pub fn random_master_key(entropy: &dyn Entropy) -> MasterKey {
    MasterKey::generate(|out| entropy.fill(out))
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
    /// if the store exists but the key file does not, `Damaged` if its key ring
    /// is not as written, `Unavailable` if the file system fails.
    pub fn open(
        directory: &Path,
        key: KeySource,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SecretError> {
        let inner = Arc::new(Inner::open(directory, key, entropy)?);
        Ok(Self { inner })
    }

    /// Replaces the master key; the values stay sealed as they are.
    ///
    /// The store opens with the key from before until the key ring is replaced,
    /// which one rename does, and with the new one from then on. A store opened
    /// with a key file opens with it at every instant: the file gets the new key,
    /// and the one from before is kept beside it, for backups of the store made
    /// until now and for other stores under the same file; remove it when there
    /// are none. A given key is the caller's to keep, before the call.
    ///
    /// Other handles follow: those with a key file read it again, those with a
    /// given key go on until the data key changes and then fail with `WrongKey`.
    /// Whoever had the old key may know the data key: after a leak, call
    /// [`reencrypt`](Self::reencrypt) next.
    ///
    /// # Errors
    ///
    /// [`SecretError`]; after `Unavailable` either key may be the one, and a
    /// second call, through a store opened with the one that is, settles it.
    pub async fn rewrap(&self, new: MasterKey) -> Result<Rewrapped, SecretError> {
        self.run(move |inner| inner.rewrap(new)).await
    }

    /// Draws a new data key and seals every value and list under it.
    ///
    /// It takes the lock for one file at a time, so others read and write
    /// meanwhile. Ended at any point, it leaves a store that works, and the next
    /// call goes on where it stopped; when it returns, the old data key is gone
    /// from the directory. It also removes what an interrupted deletion left.
    ///
    /// # Errors
    ///
    /// [`SecretError`]; after `Damaged` all other files are sealed anew, and the
    /// old key stays until the one that is named is restored or deleted and
    /// this is called again.
    pub async fn reencrypt(&self) -> Result<Reencrypted, SecretError> {
        self.run(Inner::reencrypt).await
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

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        let name = name.clone();
        self.run(move |inner| inner.delete_before(&name, version))
            .await
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        let below = below.clone();
        self.run(move |inner| inner.list(&below)).await
    }

    async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
        let below = below.clone();
        self.run(move |inner| inner.taken(&below)).await
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        self.run(Inner::names).await
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        let name = name.clone();
        self.run(move |inner| inner.versions(&name)).await
    }
}
