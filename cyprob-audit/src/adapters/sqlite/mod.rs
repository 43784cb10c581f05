//! The store of placed entries in SQLite.

use cyprob_core::adapters::sqlite::{OpenError, Sqlite, SqliteStore};

use super::sql::{SqlLogStore, SqlSubjectKeys};

#[cfg(test)]
mod tests;

/// The entries of every log in core's database.
pub type SqliteLogStore = SqlLogStore<Sqlite>;
/// Subject keys in core's database.
pub type SqliteSubjectKeys = SqlSubjectKeys<Sqlite>;

impl SqliteLogStore {
    /// Brings the tables of this crate up to date in an open database.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::migrate`].
    pub async fn open(store: SqliteStore) -> Result<Self, OpenError> {
        store
            .migrate(
                "cyprob-audit",
                "_cyprob_audit_migrations",
                sqlx::migrate!("migrations/sqlite"),
            )
            .await?;
        Ok(Self::over(store))
    }
}
