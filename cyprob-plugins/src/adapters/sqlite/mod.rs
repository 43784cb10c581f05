//! Plugins, runs, findings and the queue in core's SQLite database.

use cyprob_core::adapters::sqlite::{OpenError, Sqlite, SqliteStore};

use super::sql::SqlRuns;

#[cfg(test)]
mod tests;

/// The stores of this crate in core's database.
pub type SqliteRuns = SqlRuns<Sqlite>;

impl SqliteRuns {
    /// Brings the tables of this crate up to date in an open database.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::migrate`].
    pub async fn open(store: SqliteStore) -> Result<Self, OpenError> {
        let migrations = sqlx::migrate!("migrations/sqlite");
        store
            .migrate("cyprob-plugins", "_cyprob_plugins_migrations", migrations)
            .await?;
        Ok(Self::over(store))
    }
}
