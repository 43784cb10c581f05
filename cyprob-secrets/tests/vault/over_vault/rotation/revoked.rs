//! A lease is revoked under a pool that works with it, long before its end.

use std::time::{Duration, Instant};

use sqlx::postgres::PgPoolOptions;

use super::database::Database;
use super::load::ask;
use super::loaded::{Counted, Loaded};
use super::relay::Relay;
use super::stranded::Stranded;
use crate::over_vault::faults::Row;
use crate::stand::until;

/// A look is made each second.
pub(super) const HEALS: Duration = Duration::from_secs(20);

/// Revokes the lease under eight clients; gives what was seen, and why queries failed.
async fn revoked_under_load(statements: &[&str]) -> (Row, Vec<String>) {
    let loaded = Loaded::revoked_by(statements).await;
    let begun = Instant::now();
    loaded.revoke().await;
    loaded.more_run().await;
    let recovery = begun.elapsed();
    let Loaded {
        database,
        source,
        keeper,
        live: _live,
        load,
    } = loaded;
    until("all of the revoked user is closed", || async {
        database.left().await == (1, 0)
    })
    .await;
    let (run, failed, longest) = load.end().await;
    let row = Row {
        saw: format!(
            "{} of {run} queries failed, the longest {longest} ms",
            failed.len()
        ),
        recovery,
    };
    assert!(recovery < HEALS, "{recovery:?}");
    let (issued, renewed) = source.asked();
    assert!(issued == 2 && renewed == 1, "{issued} {renewed}");
    assert!(keeper.standing().failure.is_none());
    (row, failed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_revoked_under_load_heals_and_fails_what_was_being_asked() {
    let drop = "DROP ROLE IF EXISTS \"{{name}}\"";
    let (row, failed) = revoked_under_load(&[drop]).await;
    let injected = "database: lease of 1 h revoked under 8 clients, its user dropped";
    println!("{}", row.line(injected));
    assert!(failed.len() <= 16, "{failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_revoked_with_its_sessions_heals() {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}'";
    let drop = "DROP ROLE IF EXISTS \"{{name}}\"";
    let (row, failed) = revoked_under_load(&[end, drop]).await;
    let injected = "database: lease of 1 h revoked under 8 clients, its sessions ended too";
    println!("{}", row.line(injected));
    // What was being asked, and who was signing in until it was seen: as fast as they can.
    let of_the_end = [
        "terminating connection",
        "does not exist",
        "password authentication failed",
        "error communicating with database",
    ];
    let other = failed
        .iter()
        .find(|failed| !of_the_end.iter().any(|end| failed.contains(end)));
    assert_eq!(other, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_that_may_not_sign_in_any_more_is_replaced_and_what_is_open_goes_on() {
    let lock = "ALTER ROLE \"{{name}}\" NOLOGIN";
    let loaded = Loaded::revoked_by(&[lock]).await;
    let held = loaded.keeper.current();
    let replaced = loaded.revoke().await;
    assert!(replaced < HEALS, "{replaced:?}");
    drop(held);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (run, failed, longest) = loaded.load.end().await;
    println!(
        "NOLOGIN under 8 clients: {} of {run} failed, the longest {longest} ms",
        failed.len()
    );
    // Who was signing in at that moment.
    assert!(failed.len() <= 16, "{failed:?}");
    let signing_in = |failure: &String| failure.contains("not permitted to log in");
    assert!(failed.iter().all(signing_in), "{failed:?}");
    assert_eq!(loaded.source.asked(), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_revoked_under_an_idle_pool_fails_no_query_and_a_wrong_password_never_works() {
    let database = Database::new("1h", "24h").await;
    let vault = database.connect().await;
    let keeper = database.keeper(database.source(&vault)).await;
    let live = database.live(&keeper).await;
    let held = keeper.current();
    let wrong = database.place().username(held.username()).password("wrong");
    let error = PgPoolOptions::new().connect_with(wrong).await.unwrap_err();
    assert!(error.to_string().contains("password"), "{error}");
    let revoked = Instant::now();
    database.revoke(held.lease_id()).await;
    ask(live.pool(), &database.table(), 1).await.unwrap();
    let row = Row {
        saw: "the next query waits for other credentials".to_owned(),
        recovery: revoked.elapsed(),
    };
    println!(
        "{}",
        row.line("database: lease of 1 h revoked under an idle pool")
    );
    assert!(revoked.elapsed() < HEALS, "{:?}", revoked.elapsed());
    assert_eq!(live.generation(), 2);
    // Where nobody asks it is seen by the look.
    let second = keeper.current();
    tokio::time::sleep(Duration::from_secs(2)).await;
    database.revoke(second.lease_id()).await;
    let revoked = Instant::now();
    until("others are lent", || async { live.generation() == 3 }).await;
    assert!(revoked.elapsed() < HEALS, "{:?}", revoked.elapsed());
    assert!(keeper.standing().failure.is_none());
    drop((held, second));
    until("the connections of revoked users are closed", || async {
        database.left().await == (1, 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_revoked_while_its_source_is_away_lets_queries_wait() {
    let stranded = Stranded::new().await;
    let live = &stranded.live;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(live.is_waiting() && !stranded.asking.is_finished());
    assert!(stranded.keeper.standing().failure.is_some());
    assert_eq!(live.generation(), 1);
    stranded.proxy.heal();
    stranded.asking.await.unwrap().unwrap();
    assert_eq!(live.generation(), 2);
    assert!(!live.is_waiting());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_waits_for_others_closes_at_once() {
    let stranded = Stranded::new().await;
    let begun = Instant::now();
    stranded.live.pool().close().await;
    assert!(stranded.asking.await.unwrap().is_err());
    // Those who waited would have done so for half a minute.
    assert!(begun.elapsed() < HEALS, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_database_is_no_doubt() {
    let database = Database::new("1h", "24h").await;
    let source = Counted::new(database.source(&database.connect().await));
    let keeper = database.keeper(source.clone()).await;
    let relay = Relay::before(&database).await;
    let live = database.live_at(&keeper, relay.place(&database)).await;
    ask(live.pool(), &database.table(), 1).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let cut = relay.cut().await;
    // Longer than the look is patient.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(source.asked(), (1, 0));
    assert!(!live.is_waiting());
    let _relay = cut.again().await;
    ask(live.pool(), &database.table(), 1).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((source.asked(), live.generation()), ((1, 0), 1));
}
