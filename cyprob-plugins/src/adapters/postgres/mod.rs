//! Plugins, runs, findings and the queue in core's PostgreSQL database.

use cyprob_core::adapters::postgres::{Component, OpenError, Postgres, PostgresStore, Table};

use super::sql::SqlRuns;

#[cfg(test)]
mod tests;

/// The tables of this crate.
pub const TABLES: Component = Component::new(
    "cyprob-plugins",
    "_cyprob_plugins_migrations",
    sqlx::migrate!("migrations/postgres"),
    &[
        Table::tenant("plugin_files"),
        Table::tenant("plugins"),
        Table::tenant("plugin_versions"),
        Table::tenant("runs"),
        Table::tenant("run_plugins"),
        Table::tenant("findings"),
        Table::tenant("run_turns"),
        Table::tenant("run_tags"),
        Table::tenant("run_keys"),
    ],
);

/// The stores of this crate in core's database.
pub type PostgresRuns = SqlRuns<Postgres>;

impl PostgresRuns {
    /// The stores in an open database, whose tables [`TABLES`] brought up to date.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::expect`].
    pub async fn open(store: PostgresStore) -> Result<Self, OpenError> {
        store.expect(&TABLES).await?;
        Ok(Self::over(store))
    }
}
