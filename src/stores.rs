//! What one backend keeps for a control plane.

use std::fmt;
use std::sync::Arc;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use cyprob_audit::adapters::directory::DirectorySink;
use cyprob_audit::adapters::memory::{MemoryLogStore, MemorySink, MemorySubjectKeys};
#[cfg(feature = "postgres")]
use cyprob_audit::adapters::postgres::{PostgresLogStore, PostgresSubjectKeys};
#[cfg(feature = "sqlite")]
use cyprob_audit::adapters::sqlite::{SqliteLogStore, SqliteSubjectKeys};
use cyprob_audit::ports::{LogStore, PublishedLogs, SubjectKeys, TileSink};
use cyprob_core::adapters::memory::{MemorySpent, MemoryStore, OnlyProcess};
#[cfg(feature = "postgres")]
use cyprob_core::adapters::postgres::{self, PostgresStore};
#[cfg(feature = "sqlite")]
use cyprob_core::adapters::sqlite::{OpenError, SqliteStore};
use cyprob_core::ports::store::{IdentityStore, SpentStore};
use cyprob_core::ports::{Entropy, Leadership, RevocationSource};
use cyprob_plugins::adapters::memory::MemoryRuns;
#[cfg(feature = "postgres")]
use cyprob_plugins::adapters::postgres::PostgresRuns;
#[cfg(feature = "sqlite")]
use cyprob_plugins::adapters::sqlite::SqliteRuns;
use cyprob_plugins::ports::{PluginStore, Queue, RunStore};
use tokio::sync::watch;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use crate::DeploymentKeys;
use crate::OperatorJournal;

/// The stores of a control plane, which must see one another's commits: one database, or one memory.
///
/// A host with a backend of its own fills in the fields.
#[derive(Clone)]
pub struct Stores {
    /// People, organizations, sessions, and the outbox of events.
    pub identity: Arc<dyn IdentityStore>,
    /// Which uses of tokens are spent; without it, tokens of a number of uses are refused.
    pub spent: Option<Arc<dyn SpentStore>>,
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
    /// Which process writes the logs and hands out the runs.
    pub leadership: Arc<dyn Leadership>,
    /// Where it is heard what other processes revoke; none for the only process of a deployment.
    pub others: Option<Arc<dyn RevocationSource>>,
    /// Where operators note what they do beside the processes; none if nobody can.
    pub journal: Option<OperatorJournal>,
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
        let runs = SqliteRuns::open(store.clone()).await?;
        let personal = keys.audit_personal.secret();
        let subject_keys = SqliteSubjectKeys::new(store.clone(), entropy, personal);
        let recorded = store.outbox_signal();
        Ok(Self::of(
            Arc::new(store.clone()),
            Arc::new(store.clone()),
            log,
            subject_keys,
            logs,
            runs,
            recorded,
        ))
    }

    /// Stores in one PostgreSQL database that many nodes share, and logs published to a directory that they share.
    ///
    /// # Errors
    ///
    /// [`postgres::OpenError`] if the tables are not of this version.
    #[cfg(feature = "postgres")]
    pub async fn postgres(
        store: &PostgresStore,
        keys: &DeploymentKeys,
        entropy: Arc<dyn Entropy>,
        logs: Arc<DirectorySink>,
        leadership: Arc<dyn Leadership>,
    ) -> Result<Self, postgres::OpenError> {
        let log = PostgresLogStore::open(store.clone()).await?;
        let runs = PostgresRuns::open(store.clone()).await?;
        let personal = keys.audit_personal.secret();
        let subject_keys = PostgresSubjectKeys::new(store.clone(), entropy, personal);
        let recorded = store.outbox_signal();
        Ok(Self {
            leadership,
            others: Some(Arc::new(store.clone())),
            ..Self::of(
                Arc::new(store.clone()),
                Arc::new(store.clone()),
                log,
                subject_keys,
                logs,
                runs,
                recorded,
            )
        })
    }

    /// Stores that forget everything with the process, for tests and trials.
    #[must_use]
    pub fn memory(entropy: Arc<dyn Entropy>) -> Self {
        let identity = Arc::new(MemoryStore::new());
        let recorded = identity.outbox_signal();
        let runs = MemoryRuns::new(Arc::clone(&identity) as _);
        let log = MemoryLogStore::over(Arc::clone(&identity) as _);
        let subject_keys = MemorySubjectKeys::new(entropy);
        let logs = Arc::new(MemorySink::default());
        let spent = Arc::new(MemorySpent::default());
        Self::of(identity, spent, log, subject_keys, logs, runs, recorded)
    }

    /// The stores of one backend, for the only process of a deployment.
    fn of<S, R>(
        identity: Arc<dyn IdentityStore>,
        spent: Arc<dyn SpentStore>,
        log: impl LogStore,
        subject_keys: impl SubjectKeys,
        logs: Arc<S>,
        runs: R,
        recorded: watch::Receiver<u64>,
    ) -> Self
    where
        S: TileSink + PublishedLogs,
        R: PluginStore + RunStore + Queue,
    {
        let runs = Arc::new(runs);
        Self {
            identity,
            spent: Some(spent),
            log: Arc::new(log),
            subject_keys: Arc::new(subject_keys),
            tiles: Arc::clone(&logs) as _,
            published: logs,
            plugins: Arc::clone(&runs) as _,
            runs: Arc::clone(&runs) as _,
            queue: runs,
            recorded,
            leadership: Arc::new(OnlyProcess),
            others: None,
            journal: None,
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
