//! Refreshes of sessions per second, with their events and the logs written of them, against bare durable commits of two rows.

#![allow(clippy::expect_used, reason = "a benchmark reports by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cyprob::CheckMode;
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::ports::EntropyExt as _;
use cyprob::core::testkit::postgres::{Database, RUNTIME};
use cyprob_benches::{Client, Host, clients, database, heading_of_rates, post, rates};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqlitePool};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

const CLIENTS: u32 = 64;
/// As many as a node opens.
const CONNECTIONS: usize = 16;
const ROUNDS: usize = 9;
const WINDOW: Duration = Duration::from_secs(2);
/// About as long as the event of a refresh.
const EVENT: usize = 600;

/// A client with a session of its own, from window to window.
struct Refreshing {
    router: Router,
    token: Arc<Mutex<String>>,
}

impl Client for Refreshing {
    async fn act(&mut self) {
        let mut token = self.token.lock().await;
        let body = json!({ "refresh_token": *token });
        let pair = post(&self.router, "/api/v1/auth/refresh", &body, 200).await;
        *token = refresh_token(&pair);
    }
}

fn refresh_token(pair: &serde_json::Value) -> String {
    let token = pair.get("refresh_token").and_then(|token| token.as_str());
    token.expect("a token").to_owned()
}

/// The same by hand: a row is changed and one is added, and the commit waits for the disk.
enum Bare {
    Sqlite(SqlitePool, u32),
    Postgres(Arc<Mutex<PgConnection>>, u32),
}

const TABLES: [&str; 2] = [
    "CREATE TABLE bare_sessions (id BIGINT PRIMARY KEY, generation BIGINT NOT NULL)",
    "CREATE TABLE bare_events (id TEXT PRIMARY KEY, body TEXT NOT NULL)",
];
const SESSION: &str = "INSERT INTO bare_sessions VALUES ($1, 0)";
const CHANGE: &str = "UPDATE bare_sessions SET generation = generation + 1 WHERE id = $1";
const ADD: &str = "INSERT INTO bare_events (id, body) VALUES ($1, $2)";

macro_rules! make {
    ($db:expr) => {
        for table in TABLES {
            sqlx::query(table).execute($db).await.expect("made");
        }
        for id in 0..CLIENTS {
            let row = sqlx::query(SESSION).bind(i64::from(id));
            row.execute($db).await.expect("added");
        }
    };
}

macro_rules! commit {
    ($begun:expr, $session:expr) => {{
        let mut tx = $begun.await.expect("begun");
        let changed = sqlx::query(CHANGE).bind(i64::from($session));
        changed.execute(&mut *tx).await.expect("changed");
        let id = u128::from_be_bytes(SystemEntropy.bytes());
        let added = sqlx::query(ADD).bind(format!("{id:032x}"));
        let added = added.bind("x".repeat(EVENT));
        added.execute(&mut *tx).await.expect("added");
        tx.commit().await.expect("committed");
    }};
}

impl Client for Bare {
    async fn act(&mut self) {
        match self {
            Self::Sqlite(pool, session) => commit!(pool.begin_with("BEGIN IMMEDIATE"), *session),
            Self::Postgres(connection, session) => {
                let mut connection = connection.lock().await;
                commit!(connection.begin(), *session);
            }
        }
    }
}

async fn bare_sqlite(file: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(options).await.expect("opened");
    make!(&pool);
    pool
}

async fn bare_postgres(database: &Database) -> Vec<Arc<Mutex<PgConnection>>> {
    let mut owner = database.superuser().await;
    make!(&mut owner);
    let grant = format!("GRANT ALL ON bare_sessions, bare_events TO {RUNTIME}");
    let granted = sqlx::query(AssertSqlSafe(grant));
    granted.execute(&mut owner).await.expect("granted");
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let connection = database.connect(RUNTIME).await;
        connections.push(Arc::new(Mutex::new(connection)));
    }
    connections
}

fn measure(runtime: &Runtime, name: &str, host: &Host, bare: impl Fn(u32) -> Bare) {
    let sign_in = || {
        let pair = runtime.block_on(Host::sign_in(&host.router, None));
        Arc::new(Mutex::new(refresh_token(&pair)))
    };
    let tokens: Vec<_> = (0..CLIENTS).map(|_| sign_in()).collect();
    let refreshing = || {
        tokens.iter().map(|token| Refreshing {
            router: host.router.clone(),
            token: Arc::clone(token),
        })
    };
    rates(
        name,
        ROUNDS,
        WINDOW,
        |window| runtime.block_on(clients(window, refreshing())),
        |window| runtime.block_on(clients(window, (0..CLIENTS).map(&bare))),
    );
}

fn main() {
    heading_of_rates();
    let runtime = Runtime::new().expect("a runtime");
    let host = runtime.block_on(Host::sqlite(CheckMode::Feed));
    // On the same disk as ours.
    let pool = runtime.block_on(bare_sqlite(&host.directory().join("bare.db")));
    measure(&runtime, "refresh, SQLite / bare commits", &host, |id| {
        Bare::Sqlite(pool.clone(), id)
    });
    runtime.block_on(pool.close());
    runtime.block_on(host.end());

    let Some(host) = runtime.block_on(Host::postgres(CheckMode::Feed)) else {
        return;
    };
    let bare_database = runtime.block_on(database()).expect("a database");
    let connections = runtime.block_on(bare_postgres(&bare_database));
    let connection = |id: u32| connections.iter().cycle().nth(id as usize).cloned();
    measure(
        &runtime,
        "refresh, PostgreSQL / bare commits",
        &host,
        |id| Bare::Postgres(connection(id).expect("a connection"), id),
    );
    runtime.block_on(host.end());
}
