//! The end of a hundred thousand sessions: one statement, one revocation, bounded in time and memory.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test with figures"
)]

mod founded;

use std::time::{Duration, Instant};

use cyprob_core::adapters::sqlite::{SqliteOptions, SqliteStore};
use cyprob_core::domain::{Revocation, SystemCtx, Whose};
use cyprob_core::ports::store::{AccountStore, MassEnd, RevocationStore};
use cyprob_core::testkit::SeededEntropy;
use founded::{AT, found};

const SESSIONS: i64 = 100_000;

/// What this process holds, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap();
    kib.parse::<u64>().unwrap() / 1_024
}

#[tokio::test]
async fn asvs_7_4_5_a_hundred_thousand_sessions_end_in_one_step() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("cyprob.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default()).await;
    let store = store.unwrap();
    let entropy = SeededEntropy::new(1);
    let user = found(&store, &entropy).await;
    let system = SystemCtx::new("test", "many sessions");
    let begun = Instant::now();
    let mut tx = store.system_tx(&system).await.unwrap();
    sqlx::query(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
         INSERT INTO sessions (id, user_id, seed, generation, refresh_key, rotated_at, \
         credential_epoch, auth_time, aal, created_at, last_used_at, idle_expires_at, \
         absolute_expires_at) \
         SELECT unhex(printf('01a2000000007000a%015x', i)), $2, zeroblob(32), 0, 1, $3, 1, $3, 1, \
         $3, $3, $3 + 600000000, $3 + 600000000 FROM n",
    )
    .bind(SESSIONS)
    .bind(user.id.as_bytes().as_slice())
    .bind(AT.as_micros())
    .execute(tx.connection())
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let written = begun.elapsed();
    let before = resident();
    let at = AT.after(Duration::from_secs(1));
    let end = MassEnd {
        whose: Whose::Everyone,
        keep: None,
        at,
        tokens_expire_at: at.after(Duration::from_secs(300)),
    };
    let begun = Instant::now();
    let ended = store.end_many(&end, &[]).await.unwrap().unwrap();
    let took = begun.elapsed();
    let grown = resident().saturating_sub(before);
    println!(
        "{SESSIONS} sessions written in {written:?}, ended in {took:?}, {grown} MiB more held"
    );
    assert_eq!(ended.ended, u64::try_from(SESSIONS).unwrap());
    let live = store.live_revocations(at).await.unwrap();
    let what: Vec<_> = live.iter().map(|entry| entry.what).collect();
    assert_eq!(what, [Revocation::Opened(Whose::Everyone, at, None)]);
    // As dear as having written them, on whatever machine.
    assert!(took < 4 * written, "{took:?} after {written:?}");
    assert!(grown < 64, "{grown} MiB");
}
