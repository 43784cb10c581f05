//! A pool, its handle and the keeper of its credentials, when one of them is gone before the others.

use std::time::{Duration, Instant};

use super::database::Database;
use super::load::ask;
use super::loaded::Counted;
use super::relay::Relay;
use super::revoked::HEALS;
use super::stranded::Stranded;
use crate::stand::until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_held_while_a_connection_of_theirs_is_used_though_the_handle_is_gone() {
    let database = Database::new("1h", "24h").await;
    let vault = database.connect().await;
    let keeper = database.keeper(database.source(&vault)).await;
    let live = database.live(&keeper).await;
    let pool = live.pool().clone();
    let mut used = pool.begin().await.unwrap();
    keeper.rotate().await.unwrap();
    until("the others are in use", || async { live.generation() == 2 }).await;
    drop(live);
    // Longer than a connection may be on its way.
    tokio::time::sleep(Duration::from_secs(7)).await;
    let select = format!("SELECT n FROM {}", database.table());
    let select = || sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(select.clone()));
    select().fetch_one(&mut *used).await.unwrap();
    assert_eq!(database.left().await, (2, 0));
    used.commit().await.unwrap();
    until("those before are taken back", || async {
        database.left().await == (1, 0)
    })
    .await;
    select().fetch_one(&pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_other_credentials_once_the_handle_is_gone() {
    let stranded = Stranded::new().await;
    let (pool, begun) = (stranded.live.pool().clone(), Instant::now());
    drop(stranded.live);
    let error = stranded.asking.await.unwrap().unwrap_err();
    // Of its 30 s at most.
    assert!(begun.elapsed() < HEALS, "{:?}", begun.elapsed());
    assert!(error.as_database_error().is_some(), "{error}");
    let table = stranded.database.table();
    let error = ask(&pool, &table, 1).await.unwrap_err();
    assert!(error.as_database_error().is_some(), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_other_credentials_once_their_keeper_is_gone() {
    let database = Database::new("1h", "24h").await;
    let vault = database.connect().await;
    let keeper = database.keeper(database.source(&vault)).await;
    let live = database.live(&keeper).await;
    ask(live.pool(), &database.table(), 1).await.unwrap();
    // By then one connection beside the pool's looks whether the user is there.
    tokio::time::sleep(Duration::from_secs(2)).await;
    keeper.close().await.unwrap();
    until("its user is taken back", || async {
        database.left().await.0 == 0
    })
    .await;
    until("nobody waits", || async { !live.is_waiting() }).await;
    let begun = Instant::now();
    let error = ask(live.pool(), &database.table(), 1).await.unwrap_err();
    assert!(begun.elapsed() < HEALS, "{:?}", begun.elapsed());
    assert!(error.as_database_error().is_some(), "{error}");
    until("no connection of the revoked user is left", || async {
        database.left().await == (0, 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_answers_nothing_is_no_doubt_and_gets_few_connections() {
    let database = Database::new("1h", "24h").await;
    let source = Counted::new(database.source(&database.connect().await));
    let keeper = database.keeper(source.clone()).await;
    let relay = Relay::before(&database).await;
    let live = database.live_at(&keeper, relay.place(&database)).await;
    ask(live.pool(), &database.table(), 1).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = relay.made();
    relay.mute();
    // Three times as long as an answer is waited for.
    tokio::time::sleep(Duration::from_secs(16)).await;
    let made = relay.made() - before;
    assert!(made <= 1, "{made}");
    assert_eq!(source.asked(), (1, 0));
    assert!(!live.is_waiting());
    // It answers again, and knows the user no more.
    relay.speak();
    database.revoke(keeper.current().lease_id()).await;
    ask(live.pool(), &database.table(), 1).await.unwrap();
    assert_eq!(live.generation(), 2);
}
