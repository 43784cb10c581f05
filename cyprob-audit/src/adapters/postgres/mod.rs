//! The store of placed entries in PostgreSQL.

use cyprob_core::adapters::postgres::{Component, OpenError, Postgres, PostgresStore, Table};

use super::sql::{SqlLogStore, SqlSubjectKeys};

/// The tables of this crate.
pub const TABLES: Component = Component::new(
    "cyprob-audit",
    "_cyprob_audit_migrations",
    sqlx::migrate!("migrations/postgres"),
    &[
        Table::tenant("audit_logs"),
        Table::tenant("audit_entries"),
        Table::tenant("audit_subject_keys"),
    ],
);

/// The entries of every log in core's database.
pub type PostgresLogStore = SqlLogStore<Postgres>;
/// Subject keys in core's database.
pub type PostgresSubjectKeys = SqlSubjectKeys<Postgres>;

impl PostgresLogStore {
    /// The logs in an open database, whose tables [`TABLES`] brought up to date.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::expect`].
    pub async fn open(store: PostgresStore) -> Result<Self, OpenError> {
        store.expect(&TABLES).await?;
        Ok(Self::over(store))
    }
}
