//! What a deployment keeps in a directory: its keys and its audit logs.

use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cyprob_authz::service::KeyOperations;
use cyprob_core::adapters::system::{SystemClock, SystemEntropy};
use cyprob_core::ports::{Clock, Entropy};
use cyprob_secrets::adapters::local::{KeySource, LocalStore};
use cyprob_secrets::domain::SecretName;
use cyprob_secrets::ports::SecretError;

use crate::{DeploymentKeys, KeyError, StoredKeys};

/// The keys or the logs of a directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The store of the keys cannot be opened.
    #[error("cannot open the key store {}", path.display())]
    KeyStore {
        /// Its directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// There is no key store.
    #[error("{} is not there: name the data directory of a deployment", path.display())]
    NoDeployment {
        /// Where it should be.
        path: PathBuf,
    },
    /// The directory of the audit logs cannot be made.
    #[error("cannot make {}", path.display())]
    Logs {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A key cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

/// Opens the secret store `secrets` of a directory, which has the keys and what organizations keep.
pub(crate) fn secret_store(
    directory: &Path,
    master_key: &Path,
    entropy: &Arc<SystemEntropy>,
) -> Result<Arc<LocalStore>, DirectoryError> {
    let path = directory.join("secrets");
    let source = KeySource::File(master_key.to_owned());
    let opened = LocalStore::open(&path, source, Arc::clone(entropy) as _);
    let opened = opened.map_err(|source| DirectoryError::KeyStore { path, source })?;
    Ok(Arc::new(opened))
}

/// The keys of a directory's deployment, to list, rotate and revoke beside its processes.
///
/// The master key of the key store is in a file that the deployment was started
/// with, `master-key` in the directory by default. Running processes follow a
/// change within seconds, and record it in the audit trail; while none runs, the
/// next one does.
///
/// # Errors
///
/// [`DirectoryError`] if the directory has no key store that opens.
pub fn token_keys(directory: &Path, master_key: &Path) -> Result<KeyOperations, DirectoryError> {
    let store = local_secrets(directory, master_key)?;
    let entropy = Arc::new(SystemEntropy);
    let custody = StoredKeys::new(store, Arc::clone(&entropy) as _);
    Ok(KeyOperations::new(Arc::new(custody), entropy))
}

/// The secrets of a directory's deployment, to read, write and rotate beside its processes.
///
/// Among them are the keys of the deployment itself: see [`is_deployment_key`].
/// The master key is where [`token_keys`] has it. Running processes follow a
/// rotation at their next look at a secret.
///
/// # Errors
///
/// [`DirectoryError`] if the directory has no store that opens; none is made.
pub fn local_secrets(
    directory: &Path,
    master_key: &Path,
) -> Result<Arc<LocalStore>, DirectoryError> {
    let path = directory.join("secrets");
    if !path.is_dir() {
        return Err(DirectoryError::NoDeployment { path });
    }
    secret_store(directory, master_key, &Arc::new(SystemEntropy))
}

/// Whether a secret is a key of the deployment itself: one that it signs, seals or counts with.
///
/// A value put there by hand ends sessions or loses what was sealed.
#[must_use]
pub fn is_deployment_key(name: &SecretName) -> bool {
    name.as_str() == "keys" || name.as_str().starts_with("keys/")
}

/// The deployment's keys in its secret store, made if they are missing; of several processes one makes them.
pub(crate) async fn keys(
    secrets: Arc<LocalStore>,
    entropy: &Arc<SystemEntropy>,
) -> Result<DeploymentKeys, DirectoryError> {
    let at = SystemClock.now();
    let entropy: Arc<dyn Entropy> = Arc::clone(entropy) as _;
    Ok(DeploymentKeys::load_or_create(secrets, entropy, at).await?)
}

/// The directory `audit`, made if it is missing.
pub(crate) fn logs(directory: &Path) -> Result<PathBuf, DirectoryError> {
    let path = directory.join("audit");
    match std::fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(source) if source.kind() != ErrorKind::AlreadyExists => {
            Err(DirectoryError::Logs { path, source })
        }
        _ => Ok(path),
    }
}
