//! A pool whose lease was revoked while the source of others is away.

use std::time::Duration;

use cyprob_secrets::adapters::postgres::LivePool;
use cyprob_secrets::service::LeaseKeeper;
use cyprob_secrets::testkit::fault_proxy::{Fault, FaultProxy};
use tokio::task::JoinHandle;

use super::database::Database;
use super::load::ask;
use crate::stand::until;

pub(super) struct Stranded {
    pub(super) database: Database,
    /// In front of the source.
    pub(super) proxy: FaultProxy,
    pub(super) keeper: LeaseKeeper,
    pub(super) live: LivePool,
    /// A query that waits.
    pub(super) asking: JoinHandle<Result<(), sqlx::Error>>,
}

impl Stranded {
    pub(super) async fn new() -> Self {
        let database = Database::new("1h", "24h").await;
        let (stand, patience) = (&database.stand, Duration::from_secs(5));
        let (proxy, vault) = stand.through_within(stand.given(), patience).await;
        let keeper = database.keeper(database.source(&vault)).await;
        let live = database.live(&keeper).await;
        proxy.inject(Fault::Refuse);
        database.revoke(keeper.current().lease_id()).await;
        let (pool, table) = (live.pool().clone(), database.table());
        let asking = tokio::spawn(async move { ask(&pool, &table, 1).await });
        until("it waits", || async { live.is_waiting() }).await;
        Self {
            database,
            proxy,
            keeper,
            live,
            asking,
        }
    }
}
