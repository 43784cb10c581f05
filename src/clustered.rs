//! A node of many: one PostgreSQL database, one directory that all nodes see.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cyprob_audit::adapters::directory::DirectorySink;
use cyprob_core::adapters::postgres::{
    Component, IsolationError, Migrated, Migrations, OpenError, PostgresLeadership,
    PostgresOptions, PostgresStore,
};
use cyprob_core::adapters::system::SystemEntropy;
use cyprob_secrets::adapters::local::LocalStore;
use cyprob_secrets::domain::OrgSecretBase;

use crate::builder::{ControlPlaneBuilder, Ready};
use crate::directory::{self, DirectoryError};
use crate::{ControlPlane, DeploymentKeys, OperatorJournal, OrgSecretStore, Stores};

/// The parts of one node of a control plane.
///
/// All nodes serve. One of them, by a lock in the database, writes the audit
/// logs and hands out the runs; when it ends another one goes on within two
/// seconds. The directory holds the keys and the logs, and is the same for all.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use cyprob::core::adapters::postgres::PostgresOptions;
/// let address = secrecy::SecretString::from("postgres://cyprob_runtime@db.example/cyprob");
/// let database = PostgresOptions::new(&address)?;
/// let node = cyprob::Clustered::open(&database, "/srv/cyprob".as_ref()).await?;
/// let plane = node.builder().build().await?;
/// let background = plane.start().await?;
/// // ... serve cyprob::http::router(plane) ...
/// background.stop().await?;
/// node.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Clustered {
    store: PostgresStore,
    keys: DeploymentKeys,
    secrets: Arc<LocalStore>,
    stores: Stores,
    audit: PathBuf,
}

/// The node cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusteredError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The database does not keep organizations apart.
    #[error(transparent)]
    Isolation(#[from] IsolationError),
    /// The keys or the logs in the directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// The database roles that are not the owner of the tables.
#[derive(Clone, Copy, Debug)]
pub struct Roles<'a> {
    /// The one that nodes work as.
    pub runtime: &'a str,
    /// The one that reads.
    pub auditor: &'a str,
}

impl Clustered {
    /// Opens the database as the runtime role, and the directory that all nodes share.
    ///
    /// The directory must exist; the first node makes the keys in it. The master
    /// key of the key store is the file `master-key`; a backup without it cannot be used.
    ///
    /// # Errors
    ///
    /// [`ClusteredError`] with the remedy; the tables are made by [`migrate`](Self::migrate).
    pub async fn open(
        database: &PostgresOptions,
        directory: &Path,
    ) -> Result<Self, ClusteredError> {
        Self::open_with(database, directory, &directory.join("master-key")).await
    }

    /// The same, with the master key in a file elsewhere, such as on another disk.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(
        database: &PostgresOptions,
        directory: &Path,
        master_key: &Path,
    ) -> Result<Self, ClusteredError> {
        let store = PostgresStore::open(database).await?;
        let entropy = Arc::new(SystemEntropy);
        let secrets = directory::secret_store(directory, master_key, &entropy)?;
        let keys = directory::keys(Arc::clone(&secrets), &entropy).await?;
        let audit = directory::logs(directory)?;
        let tiles = Arc::new(DirectorySink::new(&audit));
        let leadership = Arc::new(PostgresLeadership::new(database));
        let mut stores = Stores::postgres(&store, &keys, entropy, tiles, leadership).await?;
        stores.journal = Some(OperatorJournal::of(directory));
        let components = components();
        let tables: Vec<&Component> = components.iter().collect();
        store.verify_isolation(&tables, &[]).await?;
        Ok(Self {
            store,
            keys,
            secrets,
            stores,
            audit,
        })
    }

    /// Brings the tables up to date as the role that owns them, and grants the others their rights.
    ///
    /// Repeating the call changes nothing. The roles must exist.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub async fn migrate(
        owner: &PostgresOptions,
        roles: Roles<'_>,
    ) -> Result<Vec<Migrated>, OpenError> {
        let mut migrations = Migrations::begin(owner).await?;
        let mut done = Vec::new();
        for component in components() {
            done.push(migrations.run(component).await?);
        }
        migrations.grant(roles.runtime, roles.auditor).await?;
        Ok(done)
    }

    /// A builder over these parts; the rest has its default.
    ///
    /// A node hears of what others revoke within a second and serves nobody who is
    /// signed in when it heard nothing for five; [`CheckMode::Strict`] asks the
    /// database at every request instead.
    ///
    /// [`CheckMode::Strict`]: crate::CheckMode::Strict
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

    /// Waits for what is under way and closes the connections.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// The tables of all crates, in the order in which they are made.
fn components() -> [Component; 3] {
    [
        Component::CORE,
        cyprob_audit::adapters::postgres::TABLES,
        cyprob_plugins::adapters::postgres::TABLES,
    ]
}
