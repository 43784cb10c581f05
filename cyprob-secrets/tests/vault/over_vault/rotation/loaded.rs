//! A pool under load, and a source that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cyprob_secrets::adapters::postgres::LivePool;
use cyprob_secrets::adapters::vault::VaultDatabase;
use cyprob_secrets::domain::{LeaseId, Lent};
use cyprob_secrets::ports::{DynamicCredentials, LeaseError};
use cyprob_secrets::service::LeaseKeeper;

use super::database::Database;
use super::load::Load;
use crate::stand::until;

/// A source whose requests are counted.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    source: VaultDatabase,
    issued: Arc<AtomicU64>,
    renewed: Arc<AtomicU64>,
}

impl Counted {
    pub(super) fn new(source: VaultDatabase) -> Self {
        Self {
            source,
            issued: Arc::default(),
            renewed: Arc::default(),
        }
    }

    /// How often credentials were asked for, and how often renewed.
    pub(super) fn asked(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        (read(&self.issued), read(&self.renewed))
    }
}

#[async_trait]
impl DynamicCredentials for Counted {
    async fn issue(&self) -> Result<Lent, LeaseError> {
        self.issued.fetch_add(1, Ordering::SeqCst);
        self.source.issue().await
    }

    async fn renew(&self, lease: &LeaseId) -> Result<Duration, LeaseError> {
        self.renewed.fetch_add(1, Ordering::SeqCst);
        self.source.renew(lease).await
    }

    async fn revoke(&self, lease: &LeaseId) -> Result<(), LeaseError> {
        self.source.revoke(lease).await
    }
}

/// Eight clients of a pool whose lease is about to be revoked.
pub(super) struct Loaded {
    pub(super) database: Database,
    pub(super) source: Counted,
    pub(super) keeper: LeaseKeeper,
    pub(super) live: LivePool,
    pub(super) load: Load,
}

impl Loaded {
    /// Its users are taken back by these statements.
    pub(super) async fn revoked_by(statements: &[&str]) -> Self {
        let database = Database::revoked_by("1h", "24h", statements).await;
        let source = Counted::new(database.source(&database.connect().await));
        let keeper = database.keeper(source.clone()).await;
        let live = database.live(&keeper).await;
        let load = Load::on(8, &live, &database.table());
        let loaded = Self {
            database,
            source,
            keeper,
            live,
            load,
        };
        loaded.more_run().await;
        loaded
    }

    /// Waits until queries are asked and answered.
    pub(super) async fn more_run(&self) {
        let run = || self.load.counts.run.load(Ordering::Relaxed);
        let before = run();
        until("there is load", || async { run() > before + 500 }).await;
    }

    /// Revokes the lease, and says how long it took until there was another.
    pub(super) async fn revoke(&self) -> Duration {
        let lease = self.keeper.current().lease_id().clone();
        let begun = Instant::now();
        self.database.revoke(&lease).await;
        until("others are lent", || async { self.live.generation() == 2 }).await;
        begun.elapsed()
    }
}
