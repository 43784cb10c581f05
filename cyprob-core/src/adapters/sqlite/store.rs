//! The store and its transactions' beginnings.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::watch;

use super::open::{self, OpenError, Opened, SqliteOptions};
use super::tx::{OrgTx, SystemTx, Write};
use crate::domain::{OrgCtx, SystemCtx};
use crate::ports::store::StoreError;

/// An open database. Clones share it; the last one that drops lets other processes in.
#[derive(Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    reader: SqlitePool,
    recorded: Arc<watch::Sender<u64>>,
    _lock: Arc<File>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteStore")
    }
}

impl SqliteStore {
    /// Opens a database file, makes it if it is missing, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`OpenError`], with the file and the remedy; nothing was changed then but
    /// for an empty file that may have been made.
    pub async fn open(path: &Path, options: &SqliteOptions) -> Result<Self, OpenError> {
        let Opened {
            writer,
            reader,
            lock,
        } = open::open(path, options).await?;
        let recorded = Arc::new(watch::Sender::new(0));
        let store = Self {
            writer,
            reader,
            recorded,
            _lock: Arc::new(lock),
        };
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
    ///
    /// # Errors
    ///
    /// [`OpenError::Newer`] or [`OpenError::Migration`]; tables of a migration that failed are as before it.
    pub async fn migrate(
        &self,
        component: &'static str,
        table: &'static str,
        mut migrator: Migrator,
    ) -> Result<(), OpenError> {
        migrator.dangerous_set_table_name(table);
        let known = migrator
            .iter()
            .map(|migration| migration.version)
            .max()
            .unwrap_or(0);
        match migrator.run(&self.writer).await {
            Ok(()) => Ok(()),
            Err(MigrateError::VersionMissing(found)) if found > known => Err(OpenError::Newer {
                component,
                found,
                known,
            }),
            Err(error) => Err(OpenError::Migration {
                component,
                source: Box::new(error),
            }),
        }
    }

    /// Sees a new number after each commit that recorded an event.
    #[must_use]
    pub fn recorded(&self) -> watch::Receiver<u64> {
        self.recorded.subscribe()
    }

    /// Begins a change of one organization's data.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn org_tx(&self, org: &OrgCtx) -> Result<OrgTx, StoreError> {
        Ok(OrgTx::new(self.write().await?, org.org()))
    }

    /// Begins a change across organizations, for a stated reason.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn system_tx(&self, system: &SystemCtx) -> Result<SystemTx, StoreError> {
        tracing::trace!(reason = system.reason(), "system transaction");
        Ok(SystemTx::new(self.write().await?))
    }

    /// Begins a consistent read of one organization's data; nothing can be written in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn org_read(
        &self,
        _org: &OrgCtx,
    ) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.read().begin().await.map_err(StoreError::unavailable)
    }

    /// Begins a consistent read across organizations; nothing can be written in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn system_read(
        &self,
        _system: &SystemCtx,
    ) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.read().begin().await.map_err(StoreError::unavailable)
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    pub(super) const fn read(&self) -> &SqlitePool {
        &self.reader
    }

    pub(super) async fn write(&self) -> Result<Write, StoreError> {
        let tx = self
            .writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(StoreError::unavailable)?;
        Ok(Write::new(tx, Arc::clone(&self.recorded)))
    }
}
