//! Databases for tests on a real PostgreSQL.
//!
//! The variable `CYPROB_POSTGRES` names a server by the address of a superuser,
//! `postgres://ROLE@HOST:PORT/postgres`. A test that needs one fails without it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test reports by panicking"
)]

mod cleared;

pub use cleared::Cleared;

use std::sync::atomic::{AtomicU32, Ordering};

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tokio::sync::OnceCell;

use crate::adapters::postgres::{Component, Migrations, PostgresOptions, PostgresStore};

/// The role that owns the tables.
pub const OWNER: &str = "cyprob_owner";
/// The role that the control plane works as.
pub const RUNTIME: &str = "cyprob_runtime";
/// The role that reads.
pub const AUDITOR: &str = "cyprob_auditor";

/// A database of a test's own; it is dropped with this.
#[derive(Debug)]
pub struct Database {
    name: String,
}

/// Databases that are copies of one migrated by these components, which is made once.
#[derive(Debug)]
pub struct Template {
    components: fn() -> Vec<Component>,
    made: OnceCell<String>,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

fn server() -> PostgresOptions {
    let address = std::env::var("CYPROB_POSTGRES").unwrap_or_else(|_| {
        panic!("CYPROB_POSTGRES must name a PostgreSQL server; scripts/test starts one")
    });
    PostgresOptions::new(&SecretString::from(address)).expect("an address")
}

fn new_name() -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("cyprob_test_{}_{number}", std::process::id())
}

async fn superuser(database: &str) -> PgConnection {
    let options = server().with_database(database);
    options
        .connect()
        .connect()
        .await
        .expect("the server answers")
}

/// Runs one statement as the superuser.
async fn command(database: &str, statement: String) {
    let mut connection = superuser(database).await;
    sqlx::raw_sql(AssertSqlSafe(statement.clone()))
        .execute(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    connection.close().await.expect("it closes");
}

impl Template {
    /// A template that these components make.
    #[must_use]
    pub const fn new(components: fn() -> Vec<Component>) -> Self {
        Self {
            components,
            made: OnceCell::const_new(),
        }
    }

    /// A new database with its tables, and no rows.
    pub async fn database(&self) -> Database {
        let template = self.made.get_or_init(|| self.make()).await;
        let name = new_name();
        command(
            "postgres",
            format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}"),
        )
        .await;
        Database { name }
    }

    async fn make(&self) -> String {
        for role in [OWNER, RUNTIME, AUDITOR] {
            command(
                "postgres",
                format!(
                    "DO $$ BEGIN CREATE ROLE {role} LOGIN; \
                     EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
                ),
            )
            .await;
        }
        let name = new_name();
        command("postgres", format!("CREATE DATABASE {name} OWNER {OWNER}")).await;
        let database = Database { name: name.clone() };
        database.migrate((self.components)()).await;
        // It lives as long as the server does.
        std::mem::forget(database);
        name
    }
}

impl Database {
    /// A new database without tables.
    pub async fn empty() -> Self {
        let name = new_name();
        command("postgres", format!("CREATE DATABASE {name} OWNER {OWNER}")).await;
        Self { name }
    }

    /// Brings tables up to date and grants the roles their rights.
    pub async fn migrate(&self, components: Vec<Component>) {
        let mut migrations = Migrations::begin(&self.options().with_role(OWNER))
            .await
            .expect("the owner connects");
        for component in components {
            migrations.run(component).await.expect("it migrates");
        }
        migrations.grant(RUNTIME, AUDITOR).await.expect("it grants");
    }

    /// How the runtime role reaches it.
    #[must_use]
    pub fn options(&self) -> PostgresOptions {
        server()
            .with_role(RUNTIME)
            .with_database(&self.name)
            .with_connections(8)
    }

    /// The host and the port of the server.
    #[must_use]
    pub fn server(&self) -> (String, u16) {
        let connect = server().connect();
        (connect.get_host().to_owned(), connect.get_port())
    }

    /// The same, reached through something that listens on this port of the machine.
    #[must_use]
    pub fn options_through(&self, port: u16) -> PostgresOptions {
        self.options().through("127.0.0.1", port)
    }

    /// Core's store, as the runtime role.
    pub async fn store(&self) -> PostgresStore {
        PostgresStore::open(&self.options())
            .await
            .expect("it opens")
    }

    /// A connection as the superuser, for what no role of ours may do.
    pub async fn superuser(&self) -> PgConnection {
        superuser(&self.name).await
    }

    /// A connection as a role.
    pub async fn connect(&self, role: &str) -> PgConnection {
        let options = self.options().with_role(role);
        options
            .connect()
            .connect()
            .await
            .expect("the role connects")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A test's runtime is gone by now, or must not be blocked.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime")
                .block_on(command("postgres", statement));
        });
        let _ = dropped.join();
    }
}
