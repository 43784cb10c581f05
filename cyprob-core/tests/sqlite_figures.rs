//! What the store costs, against the same work without it, in one run.
//!
//! `cargo test --release -p cyprob-core --all-features --test sqlite_figures -- --ignored --nocapture`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement prints what the machine's clock says"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cyprob_core::adapters::argon2::{Argon2Options, Argon2Pool};
use cyprob_core::adapters::sqlite::{SqliteOptions, SqliteStore};
use cyprob_core::domain::audit::{Action, AuditEvent, Resource};
use cyprob_core::domain::{
    Aal, Caller, Epoch, OrgPolicy, Organization, RefreshKeyId, RefreshState, Session, SessionSeed,
    Timestamp, TokenDigest, User,
};
use cyprob_core::ports::store::{BootstrapStore, Founding, SessionStore};
use cyprob_core::ports::{EntropyExt, PasswordHasher};
use cyprob_core::testkit::SeededEntropy;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);
const COMMITS: u32 = 600;
const READS: u32 = 20_000;
const WRITERS: u32 = 16;

fn event(entropy: &SeededEntropy) -> AuditEvent {
    let on = Resource::new("session", "ses_0190a0b0c0d0e0f00190a0b0c0d0e0f0");
    AuditEvent::new(
        entropy.id(AT),
        AT,
        &Caller::operator(),
        Action::SessionOpened,
        on,
    )
}

fn session(user: &User, entropy: &SeededEntropy) -> Session {
    let later = Timestamp::from_seconds(AT.as_seconds() + 3_600);
    Session {
        id: entropy.id(AT),
        user: user.id,
        seed: SessionSeed::new(entropy.bytes()),
        refresh: RefreshState {
            generation: 0,
            key: RefreshKeyId::new(1),
            previous_key: None,
            rotated_at: AT,
        },
        credential_epoch: user.epoch,
        auth_time: AT,
        aal: Aal::One,
        created_at: AT,
        last_used_at: AT,
        idle_expires_at: later,
        absolute_expires_at: later,
        ended_at: None,
        client: Some("Mozilla/5.0".to_owned()),
        ip_address: None,
    }
}

async fn found(store: &SqliteStore, entropy: &SeededEntropy) -> User {
    let user = User {
        id: entropy.id(AT),
        email: "ada@example.org".parse().unwrap(),
        email_verified: true,
        name: "Ada".parse().unwrap(),
        password: None,
        epoch: Epoch::FIRST,
        administrator: true,
        disabled_at: None,
        created_at: AT,
    };
    let org = Organization {
        id: entropy.id(AT),
        slug: "acme".parse().unwrap(),
        name: "Acme".parse().unwrap(),
        policy: OrgPolicy::default(),
        created_at: AT,
    };
    let token = TokenDigest::of("token");
    let until = Timestamp::from_seconds(AT.as_seconds() + 60);
    store.arm(token, until).await.unwrap();
    let founding = Founding {
        token,
        user,
        org,
        at: AT,
    };
    store.found(&founding, &[]).await.unwrap();
    founding.user
}

/// Two plain rows a commit, straight through sqlx, as durable as the store's.
async fn bare(path: &Path) -> f64 {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await
        .unwrap();
    for statement in [
        "CREATE TABLE a (x BLOB) STRICT",
        "CREATE TABLE b (x BLOB) STRICT",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let start = Instant::now();
    for _ in 0..COMMITS {
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for statement in ["INSERT INTO a VALUES ($1)", "INSERT INTO b VALUES ($1)"] {
            let row = sqlx::query(statement).bind(vec![7_u8; 300]);
            row.execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    f64::from(COMMITS) / start.elapsed().as_secs_f64()
}

async fn one_writer(store: &SqliteStore, user: &User, entropy: &SeededEntropy) -> f64 {
    let start = Instant::now();
    for _ in 0..COMMITS {
        let (session, event) = (session(user, entropy), event(entropy));
        assert!(store.open_session(&session, None, &[event]).await.unwrap());
    }
    f64::from(COMMITS) / start.elapsed().as_secs_f64()
}

async fn many_writers(store: &SqliteStore, user: &User, entropy: &Arc<SeededEntropy>) -> f64 {
    let start = Instant::now();
    let tasks: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (store, user, entropy) = (store.clone(), user.clone(), Arc::clone(entropy));
            tokio::spawn(async move {
                for _ in 0..COMMITS / WRITERS {
                    let (session, event) = (session(&user, &entropy), event(&entropy));
                    assert!(store.open_session(&session, None, &[event]).await.unwrap());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    f64::from(COMMITS / WRITERS * WRITERS) / start.elapsed().as_secs_f64()
}

/// CPU time of this process so far, in the kernel's ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let ticks = rest.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn commits_and_reads() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let entropy = Arc::new(SeededEntropy::new(1));
    let path = folder.path().join("db");
    let store = SqliteStore::open(&path, &SqliteOptions::default()).await;
    let store = store.unwrap();
    let user = found(&store, &entropy).await;
    for round in 0..3 {
        let bare = bare(&folder.path().join(format!("bare{round}"))).await;
        let one = one_writer(&store, &user, &entropy).await;
        let many = many_writers(&store, &user, &entropy).await;
        println!("commits/s: bare {bare:.0}, one writer {one:.0}, {WRITERS} writers {many:.0}");
    }
    let session = session(&user, &entropy);
    assert!(store.open_session(&session, None, &[]).await.unwrap());
    let (start, before) = (Instant::now(), cpu());
    for _ in 0..READS {
        assert!(store.session(session.id).await.unwrap().is_some());
    }
    let (wall, spent) = (start.elapsed() / READS, (cpu() - before) / READS);
    println!("session look-up: {wall:?} wall, {spent:?} CPU");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn hashes() {
    let pool = Argon2Pool::start(
        Argon2Options::default().with_threads(1),
        Arc::new(SeededEntropy::new(1)),
    );
    let pool = pool.unwrap();
    let (start, before) = (Instant::now(), cpu());
    for _ in 0..200 {
        pool.hash("vier Elefanten!".into(), None).await.unwrap();
    }
    let (wall, spent) = (start.elapsed() / 200, (cpu() - before) / 200);
    println!("default hash: {wall:?} wall, {spent:?} CPU");
}
