//! Databases on a PostgreSQL server.
//!
//! The variable `CYPROB_POSTGRES` names one by the address of a superuser,
//! `postgres://ROLE@HOST:PORT/postgres`. A test that needs one fails without it.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

const OWNER: &str = "cyprob_owner";
const RUNTIME: &str = "cyprob_runtime";

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Where a test's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// A database of a test's own; it is dropped with this.
#[derive(Debug)]
pub(crate) struct Database {
    /// The server: `postgres://ROLE@HOST:PORT`.
    server: String,
    name: String,
}

/// A server's address without its database.
fn of_variable() -> String {
    let address = std::env::var("CYPROB_POSTGRES").unwrap_or_else(|_| {
        panic!("CYPROB_POSTGRES must name a PostgreSQL server; scripts/test starts one")
    });
    address.rsplit_once('/').unwrap().0.to_owned()
}

impl Database {
    /// A new database without tables on the server of the variable.
    pub(crate) fn new() -> Self {
        Self::on(&of_variable())
    }

    /// The same on another server.
    pub(crate) fn on(server: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cyprob_serve_{}_{number}", std::process::id());
        let database = Self {
            server: server.to_owned(),
            name,
        };
        for role in [OWNER, RUNTIME, "cyprob_auditor"] {
            let made = format!(
                "DO $$ BEGIN CREATE ROLE {role} LOGIN; \
                 EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            );
            database.maintain(&made);
        }
        database.maintain(&format!("CREATE DATABASE {} OWNER {OWNER}", database.name));
        database
    }

    /// The address of this database for a role.
    pub(crate) fn url(&self, role: &str) -> String {
        let (_, host) = self.server.split_once('@').unwrap();
        format!("postgres://{role}@{host}/{}", self.name)
    }

    /// The section of a configuration, which comes last in it.
    pub(crate) fn config(&self) -> String {
        format!(
            "\n[postgres]\nurl = \"{}\"\nowner_url = \"{}\"\nmigrate_on_start = true\n",
            self.url(RUNTIME),
            self.url(OWNER)
        )
    }

    /// A connection as the superuser.
    pub(crate) async fn superuser(&self) -> PgConnection {
        let url = format!("{}/{}", self.server, self.name);
        PgConnection::connect(&url).await.unwrap()
    }

    /// Runs a statement in this database as the superuser.
    pub(crate) fn run(&self, statement: &str) {
        let url = format!("{}/{}", self.server, self.name);
        execute(&url, statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    fn maintain(&self, statement: &str) {
        let url = format!("{}/postgres", self.server);
        execute(&url, statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that was ended with the test has nothing left to drop.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = execute(&format!("{}/postgres", self.server), &drop);
    }
}

fn execute(url: &str, statement: &str) -> Result<(), sqlx::Error> {
    block_on(async {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await?;
        connection.close().await
    })
}

/// Runs a future on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}
