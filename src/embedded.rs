//! Everything in one directory: the database, the keys, the audit logs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cyprob_audit::adapters::directory::DirectorySink;
use cyprob_core::adapters::sqlite::{OpenError, SqliteOptions, SqliteStore};
use cyprob_core::adapters::system::SystemEntropy;
use cyprob_secrets::adapters::local::LocalStore;
use cyprob_secrets::domain::OrgSecretBase;

use crate::builder::{ControlPlaneBuilder, Ready};
use crate::directory::{self, DirectoryError};
use crate::{ControlPlane, DeploymentKeys, OperatorJournal, OrgSecretStore, Stores};

/// The parts of a control plane that live in one directory of the host's own.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let embedded = cyprob::Embedded::open("cyprob-data".as_ref()).await?;
/// let plane = embedded.builder().build().await?;
/// let background = plane.start().await?;
/// // ... serve cyprob::http::router(plane) ...
/// background.stop().await?;
/// embedded.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Embedded {
    store: SqliteStore,
    keys: DeploymentKeys,
    secrets: Arc<LocalStore>,
    stores: Stores,
    audit: PathBuf,
}

/// The directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The keys or the logs in it cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl Embedded {
    /// Opens what is in the directory, and makes what is missing.
    ///
    /// The directory must exist. The master key of the key store is the file
    /// `master-key` in it; a backup without that file cannot be used.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError`] with the file and the remedy, also if another process uses the directory.
    pub async fn open(directory: &Path) -> Result<Self, EmbeddedError> {
        Self::open_with(directory, &directory.join("master-key")).await
    }

    /// The same, with the master key in a file elsewhere, such as on another disk.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(directory: &Path, master_key: &Path) -> Result<Self, EmbeddedError> {
        // The database is locked first, so a second process changes nothing.
        let database = directory.join("cyprob.db");
        let store = SqliteStore::open(&database, &SqliteOptions::default()).await?;
        let entropy = Arc::new(SystemEntropy);
        let secrets = directory::secret_store(directory, master_key, &entropy)?;
        let keys = directory::keys(Arc::clone(&secrets), &entropy).await?;
        let audit = directory::logs(directory)?;
        let tiles = Arc::new(DirectorySink::new(&audit));
        let mut stores = Stores::sqlite(&store, &keys, entropy, tiles).await?;
        stores.journal = Some(OperatorJournal::of(directory));
        Ok(Self {
            store,
            keys,
            secrets,
            stores,
            audit,
        })
    }

    /// A builder over these parts; the rest has its default.
    #[must_use]
    pub fn builder(&self) -> ControlPlaneBuilder<Ready> {
        ControlPlane::builder()
            .stores(self.stores.clone())
            .keys(self.keys.clone())
            .secrets(OrgSecretStore::new(
                Arc::clone(&self.secrets) as _,
                OrgSecretBase::default(),
            ))
    }

    /// The directory below which each log has one of its own, for verifiers.
    #[must_use]
    pub fn audit_directory(&self) -> &Path {
        &self.audit
    }

    /// Waits for what is under way and closes the database.
    pub async fn close(self) {
        self.store.close().await;
    }
}
