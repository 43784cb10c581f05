//! What a deployment keeps in a directory: its keys and its audit logs.

use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cyprob_core::adapters::system::{SystemClock, SystemEntropy};
use cyprob_core::ports::Clock;
use cyprob_secrets::adapters::local::{KeySource, LocalStore};
use cyprob_secrets::ports::SecretError;

use crate::{DeploymentKeys, KeyError};

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

/// The deployment's keys in `secrets`, made if they are missing; of several processes one makes them.
pub(crate) async fn keys(
    directory: &Path,
    master_key: &Path,
    entropy: &Arc<SystemEntropy>,
) -> Result<DeploymentKeys, DirectoryError> {
    let path = directory.join("secrets");
    let source = KeySource::File(master_key.to_owned());
    let opened = LocalStore::open(&path, source, Arc::clone(entropy) as _);
    let secrets = opened.map_err(|source| DirectoryError::KeyStore { path, source })?;
    let at = SystemClock.now();
    Ok(DeploymentKeys::load_or_create(&secrets, entropy.as_ref(), at).await?)
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
