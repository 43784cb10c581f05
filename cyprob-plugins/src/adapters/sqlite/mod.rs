//! Plugins, runs, findings and the queue in core's SQLite database, in its transactions.

mod plugins;
mod queue;
mod runs;
mod sql;

use cyprob_core::adapters::sqlite::{OpenError, SqliteStore, WrongLog};
use cyprob_core::domain::SystemCtx;
use cyprob_core::ports::store::StoreError;

/// The stores of this crate in core's database.
#[derive(Clone, Debug)]
pub struct SqliteRuns {
    store: SqliteStore,
    system: SystemCtx,
}

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
        Ok(Self {
            store,
            system: SystemCtx::new("queue", "handing runs to workers"),
        })
    }
}

/// The outcome of a statement.
trait Done<T> {
    fn done(self) -> Result<T, StoreError>;
}

impl<T> Done<T> for Result<T, sqlx::Error> {
    fn done(self) -> Result<T, StoreError> {
        self.map_err(StoreError::unavailable)
    }
}

impl Done<()> for Result<(), WrongLog> {
    fn done(self) -> Result<(), StoreError> {
        self.map_err(|error| match error {
            WrongLog::Store(error) => error,
            other => StoreError::unavailable(other),
        })
    }
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

fn integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(StoreError::unavailable)
}

#[cfg(test)]
mod tests;
