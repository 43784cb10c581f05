//! Bringing the tables up to date, as the role that owns them.

use std::fmt;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::Table;
use super::open::Opened;
use super::options::{OpenError, PostgresOptions};
use super::tables::TABLES;
use crate::ports::store::BoxError;

/// One crate's tables, with a migration table of their own.
pub struct Component {
    name: &'static str,
    table: &'static str,
    migrator: Migrator,
    tables: &'static [Table],
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Component").field(&self.name).finish()
    }
}

impl Component {
    /// The tables of this crate.
    pub const CORE: Self = Self::new(
        "cyprob-core",
        "_cyprob_core_migrations",
        sqlx::migrate!("migrations/postgres"),
        TABLES,
    );

    /// A crate, the table that its migrations are noted in, and all its tables.
    #[must_use]
    pub const fn new(
        name: &'static str,
        table: &'static str,
        migrator: Migrator,
        tables: &'static [Table],
    ) -> Self {
        Self {
            name,
            table,
            migrator,
            tables,
        }
    }

    /// Every table of the crate, that of its migrations too.
    pub(super) fn tables(&self) -> impl Iterator<Item = Table> {
        let migrations = Table::global(self.table);
        self.tables.iter().copied().chain([migrations])
    }

    fn newest(&self) -> i64 {
        newest(self.migrator.iter().map(|migration| migration.version))
    }

    fn failed(&self, source: impl Into<BoxError>) -> OpenError {
        OpenError::Migration {
            component: self.name,
            source: source.into(),
        }
    }
}

/// What bringing tables up to date did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Whose tables.
    pub component: &'static str,
    /// Their schema before; 0 for none.
    pub from: i64,
    /// Their schema now.
    pub to: i64,
}

fn newest(versions: impl Iterator<Item = i64>) -> i64 {
    versions.max().unwrap_or(0)
}

/// Brings the tables of crates up to date; the host calls it as the owner's role, before any node starts.
#[derive(Debug)]
pub struct Migrations {
    connection: PgConnection,
}

impl Migrations {
    /// Connects as the owner and makes the schema, if it is missing.
    ///
    /// Of several that migrate at once, one works and the others wait.
    ///
    /// # Errors
    ///
    /// [`OpenError::Unavailable`].
    pub async fn begin(owner: &PostgresOptions) -> Result<Self, OpenError> {
        let connect = owner.connect();
        let mut connection = connect.connect().await.map_err(OpenError::unavailable)?;
        // Held until the connection ends. The number is the name `cyprob` in ASCII.
        for statement in [
            "SELECT pg_advisory_lock(109352086306658)",
            "CREATE SCHEMA IF NOT EXISTS cyprob",
        ] {
            sqlx::raw_sql(statement)
                .execute(&mut connection)
                .await
                .map_err(OpenError::unavailable)?;
        }
        Ok(Self { connection })
    }

    /// Brings one crate's tables up to date. Repeating the call changes nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError::Newer`] or [`OpenError::Migration`]; tables of a migration that failed are as before it.
    pub async fn run(&mut self, component: Component) -> Result<Migrated, OpenError> {
        let found = version(&mut self.connection, &component).await?;
        let known = component.newest();
        if found > known {
            return Err(OpenError::Newer {
                component: component.name,
                found,
                known,
            });
        }
        let Component {
            name,
            table,
            mut migrator,
            ..
        } = component;
        migrator.dangerous_set_table_name(table);
        // The lock is held already, and sqlx's own is one for the whole database.
        migrator.set_locking(false);
        migrator
            .run(&mut self.connection)
            .await
            .map_err(|error| OpenError::Migration {
                component: name,
                source: error.into(),
            })?;
        Ok(Migrated {
            component: name,
            from: found,
            to: known,
        })
    }

    /// Lets the runtime role work and the auditor's role read, in all tables there are by now.
    ///
    /// Repeating the call changes nothing. The roles must exist.
    ///
    /// # Errors
    ///
    /// [`OpenError::Unavailable`].
    pub async fn grant(mut self, runtime: &str, auditor: &str) -> Result<(), OpenError> {
        sqlx::query("SELECT grant_roles($1, $2)")
            .bind(runtime)
            .bind(auditor)
            .execute(&mut self.connection)
            .await
            .map_err(OpenError::unavailable)?;
        self.connection
            .close()
            .await
            .map_err(OpenError::unavailable)
    }
}

/// The newest migration that was applied; 0 for none.
async fn version(connection: &mut PgConnection, component: &Component) -> Result<i64, OpenError> {
    let failed = |error: BoxError| component.failed(error);
    let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(component.table)
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| failed(error.into()))?;
    if !there {
        return Ok(0);
    }
    let applied = connection
        .list_applied_migrations(component.table)
        .await
        .map_err(|error| failed(error.into()))?;
    Ok(newest(applied.iter().map(|migration| migration.version)))
}

/// Says whether the tables are those of this version.
pub(super) async fn check(opened: &Opened, component: &Component) -> Result<(), OpenError> {
    let found = opened
        .look(async |connection| version(connection, component).await)
        .await?;
    let known = component.newest();
    match found.cmp(&known) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(OpenError::Older {
            component: component.name,
            found,
            needed: known,
        }),
        std::cmp::Ordering::Greater => Err(OpenError::Newer {
            component: component.name,
            found,
            known,
        }),
    }
}
