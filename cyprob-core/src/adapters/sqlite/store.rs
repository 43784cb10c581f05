//! Opening and migrating.

use std::path::Path;

use sqlx::migrate::Migrator;

use super::open::{self, OpenError, SqliteOptions};
use super::{SqliteStore, migrate};

impl SqliteStore {
    /// Opens a database file, makes it if it is missing, and brings its schema up to date.
    ///
    /// A new file is made with mode 0600, as are SQLite's files beside it. The
    /// file `NAME.lock` beside it is locked as long as the store lives.
    ///
    /// # Errors
    ///
    /// [`OpenError`], with the file and the remedy; nothing was changed then but
    /// for an empty file that may have been made.
    pub async fn open(path: &Path, options: &SqliteOptions) -> Result<Self, OpenError> {
        let store = Self::over(open::open(path, options).await?);
        store
            .migrate(
                "cyprob-core",
                "_cyprob_core_migrations",
                sqlx::migrate!("migrations/sqlite"),
            )
            .await?;
        Ok(store)
    }

    /// Brings one crate's tables up to date, in a migration table of its own.
    ///
    /// The database is locked against other processes, so starts do not race.
    /// Repeating the call changes nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError::Newer`] or [`OpenError::Migration`]; tables of a migration that failed are as before it.
    pub async fn migrate(
        &self,
        component: &'static str,
        table: &'static str,
        migrator: Migrator,
    ) -> Result<(), OpenError> {
        migrate::run(&self.opened.writer, component, table, migrator).await
    }
}
