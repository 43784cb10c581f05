//! The store and its transactions' beginnings.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use tokio::sync::watch;

use super::migrate;
use super::open::{self, OpenError, Opened, SqliteOptions};
use super::read::{OrgRead, SystemRead};
use super::tx::{OrgTx, SystemTx, Write};
use crate::domain::{OrgCtx, SystemCtx};
use crate::ports::store::StoreError;

/// An open database. Clones share it; the last one that drops lets other processes in.
#[derive(Clone)]
pub struct SqliteStore {
    opened: Arc<Opened>,
    recorded: Arc<watch::Sender<u64>>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteStore")
    }
}

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
        let store = Self {
            opened: Arc::new(open::open(path, options).await?),
            recorded: Arc::new(watch::Sender::new(0)),
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

    /// Sees a new number after each commit that recorded an event.
    ///
    /// A commit whose caller left before its end is signalled too. A receiver
    /// that looks on `pending` should also look from time to time: what was
    /// committed before it subscribed is not signalled again.
    #[must_use]
    pub fn outbox_signal(&self) -> watch::Receiver<u64> {
        self.recorded.subscribe()
    }

    /// Begins a change of one organization's data.
    ///
    /// It holds the only connection that writes: do nothing slow in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn org_tx(&self, org: &OrgCtx) -> Result<OrgTx, StoreError> {
        Ok(OrgTx::new(self.write().await?, org.org()))
    }

    /// Begins a change across organizations, for a stated reason.
    ///
    /// It holds the only connection that writes: do nothing slow in it.
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
    pub async fn org_read(&self, org: &OrgCtx) -> Result<OrgRead, StoreError> {
        OrgRead::begin(Arc::clone(&self.opened), org.org()).await
    }

    /// Begins a consistent read across organizations; nothing can be written in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn system_read(&self, system: &SystemCtx) -> Result<SystemRead, StoreError> {
        tracing::trace!(reason = system.reason(), "system read");
        SystemRead::begin(Arc::clone(&self.opened)).await
    }

    /// Waits for what is under way and closes the file; later calls fail.
    pub async fn close(&self) {
        self.opened.reader.close().await;
        self.opened.writer.close().await;
    }

    pub(super) fn read(&self) -> &SqlitePool {
        &self.opened.reader
    }

    pub(super) async fn write(&self) -> Result<Write, StoreError> {
        let tx = self
            .opened
            .writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(StoreError::unavailable)?;
        Ok(Write::new(
            tx,
            Arc::clone(&self.recorded),
            Arc::clone(&self.opened),
        ))
    }
}
