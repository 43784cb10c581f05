//! What one backend keeps for a control plane.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "sqlite")]
use cyprob_audit::adapters::directory::DirectorySink;
use cyprob_audit::adapters::memory::{MemoryLogStore, MemorySink, MemorySubjectKeys};
#[cfg(feature = "sqlite")]
use cyprob_audit::adapters::sqlite::{SqliteLogStore, SqliteSubjectKeys};
use cyprob_audit::ports::{LogStore, PublishedLogs, SubjectKeys, TileSink};
use cyprob_core::adapters::memory::MemoryStore;
#[cfg(feature = "sqlite")]
use cyprob_core::adapters::sqlite::{OpenError, SqliteStore};
use cyprob_core::ports::Entropy;
use cyprob_core::ports::store::IdentityStore;
use cyprob_plugins::adapters::memory::MemoryRuns;
#[cfg(feature = "sqlite")]
use cyprob_plugins::adapters::sqlite::SqliteRuns;
use cyprob_plugins::ports::{PluginStore, Queue, RunStore};
use tokio::sync::watch;

#[cfg(feature = "sqlite")]
use crate::DeploymentKeys;

/// The stores of a control plane, which must see one another's commits: one database, or one memory.
///
/// A host with a backend of its own fills in the fields.
#[derive(Clone)]
pub struct Stores {
    /// People, organizations, sessions, and the outbox of events.
    pub identity: Arc<dyn IdentityStore>,
    /// The placed events of every log.
    pub log: Arc<dyn LogStore>,
    /// The keys that seal personal values in the logs.
    pub subject_keys: Arc<dyn SubjectKeys>,
    /// Where the logs are published.
    pub tiles: Arc<dyn TileSink>,
    /// Where the published logs are read, for proofs.
    pub published: Arc<dyn PublishedLogs>,
    /// The plugins of organizations.
    pub plugins: Arc<dyn PluginStore>,
    /// Their runs.
    pub runs: Arc<dyn RunStore>,
    /// The queue of the runs.
    pub queue: Arc<dyn Queue>,
    /// Sees a new number after each commit that recorded an event.
    pub recorded: watch::Receiver<u64>,
}

impl Stores {
    /// Stores in one SQLite database, and logs published to a directory.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the tables cannot be brought up to date.
    #[cfg(feature = "sqlite")]
    pub async fn sqlite(
        store: &SqliteStore,
        keys: &DeploymentKeys,
        entropy: Arc<dyn Entropy>,
        logs: Arc<DirectorySink>,
    ) -> Result<Self, OpenError> {
        let log = SqliteLogStore::open(store.clone()).await?;
        let runs = Arc::new(SqliteRuns::open(store.clone()).await?);
        let personal = keys.audit_personal.secret();
        Ok(Self {
            identity: Arc::new(store.clone()),
            log: Arc::new(log),
            subject_keys: Arc::new(SqliteSubjectKeys::new(store.clone(), entropy, personal)),
            tiles: Arc::clone(&logs) as _,
            published: logs,
            plugins: Arc::clone(&runs) as _,
            runs: Arc::clone(&runs) as _,
            queue: runs,
            recorded: store.outbox_signal(),
        })
    }

    /// Stores that forget everything with the process, for tests and trials.
    #[must_use]
    pub fn memory(entropy: Arc<dyn Entropy>) -> Self {
        let identity = Arc::new(MemoryStore::new());
        let recorded = identity.outbox_signal();
        let tiles = Arc::new(MemorySink::default());
        let runs = Arc::new(MemoryRuns::new(Arc::clone(&identity) as _));
        let log = MemoryLogStore::over(Arc::clone(&identity) as _);
        Self {
            identity,
            log: Arc::new(log),
            subject_keys: Arc::new(MemorySubjectKeys::new(entropy)),
            tiles: Arc::clone(&tiles) as _,
            published: tiles,
            plugins: Arc::clone(&runs) as _,
            runs: Arc::clone(&runs) as _,
            queue: runs,
            recorded,
        }
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
