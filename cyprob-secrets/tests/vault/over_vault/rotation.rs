//! SEC-3: credentials of a database are replaced under load, and no query fails.

mod database;
mod dropped;
mod load;
mod loaded;
mod relay;
mod revoked;
mod stranded;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cyprob_secrets::adapters::vault::Vault;
use cyprob_secrets::testkit::fault_proxy::{Fault, FaultProxy};

use self::database::Database;
use self::load::Load;
use crate::stand::until;

const CLIENTS: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_3_twenty_rotations_fail_no_query_and_leave_nothing() {
    let database = Database::new("1h", "24h").await;
    let vault = database.connect().await;
    let keeper = database.keeper(database.source(&vault)).await;
    let live = database.live(&keeper).await;
    let load = Load::on(CLIENTS, &live, &database.table());
    for rotation in 0..20 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let next = keeper.rotate().await.unwrap();
        assert_eq!(next.generation(), rotation + 2);
    }
    until("all but the last are taken back", || async {
        database.left().await == (1, 0)
    })
    .await;
    let (run, failed, longest) = load.end().await;
    println!(
        "SEC-3: 20 rotations, {CLIENTS} clients: {run} queries, {} failed, the longest {longest} ms; users left 1, connections of revoked users 0",
        failed.len()
    );
    assert!(failed.is_empty(), "{failed:?}");
    assert!(run > 200, "{run}");
    assert_eq!(live.generation(), 21);
    live.pool().close().await;
    keeper.close().await.unwrap();
    until("nothing is left", || async {
        database.left().await == (0, 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_3_an_outage_of_one_lease_period_fails_no_query() {
    let period = Duration::from_secs(8);
    let database = Database::new("8s", "1h").await;
    let proxy = FaultProxy::start(database.stand.admin.socket())
        .await
        .unwrap();
    let vault = Vault::builder(proxy.url().parse().unwrap()).login(database.stand.given());
    let vault = vault.timeout(Duration::from_secs(5));
    let vault = database.stand.open(vault).await.unwrap();
    let keeper = database.keeper(database.source(&vault)).await;
    let live = database.live(&keeper).await;
    let load = Load::on(CLIENTS, &live, &database.table());
    tokio::time::sleep(Duration::from_secs(3)).await;
    // The server itself lives on, and takes the users back at the end of their lease.
    proxy.inject(Fault::Refuse);
    let begun = Instant::now();
    let mut waited = false;
    while begun.elapsed() < period {
        waited |= live.is_waiting();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(keeper.standing().failure.is_some());
    let before = load.counts.run.load(Ordering::Relaxed);
    proxy.heal();
    let healed = Instant::now();
    until("others are lent", || async { live.generation() > 1 }).await;
    until("queries go on", || async {
        load.counts.run.load(Ordering::Relaxed) > before + 100
    })
    .await;
    let recovered = healed.elapsed();
    // and twenty rotations after it
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        keeper.rotate().await.unwrap();
    }
    until("all but the last are taken back", || async {
        database.left().await == (1, 0)
    })
    .await;
    let (run, failed, longest) = load.end().await;
    println!(
        "SEC-3: Vault down for {} s, one lease period: {run} queries, {} failed, waited {waited}, the longest {longest} ms, recovered in {} ms",
        period.as_secs(),
        failed.len(),
        recovered.as_millis()
    );
    assert!(failed.is_empty(), "{failed:?}");
    assert!(
        waited,
        "the lease did not end in the outage: nothing was tried"
    );
}
