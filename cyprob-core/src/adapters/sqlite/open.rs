//! Opening a database file, or refusing to.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};

use crate::ports::store::BoxError;

/// A database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it.
    #[error("another process uses the database {}; end it first", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// Others than its owner can read it, or it is no plain file.
    #[error("the database {} must be a plain file that its owner alone can read: chmod 600 it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of this software has written it.
    #[error(
        "the database has schema {found} of {component}, newer than {known}, the newest this version knows; use the newer version"
    )]
    Newer {
        /// Whose tables.
        component: &'static str,
        /// The schema found.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// A schema was changed after its release, or a migration failed.
    #[error("the schema of {component} cannot be brought up to date")]
    Migration {
        /// Whose tables.
        component: &'static str,
        /// What the migration said.
        #[source]
        source: BoxError,
    },
    /// The file system or SQLite refused.
    #[error("cannot open the database {}", path.display())]
    Unavailable {
        /// The database file.
        path: PathBuf,
        /// Why.
        #[source]
        source: BoxError,
    },
}

/// How a database is opened.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    readers: u32,
    wait: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            wait: Duration::from_secs(5),
        }
    }
}

impl SqliteOptions {
    /// Sets how many connections read, 1 to 64; 4 by default.
    #[must_use]
    pub fn with_readers(mut self, readers: u32) -> Self {
        self.readers = readers.clamp(1, 64);
        self
    }

    /// Sets how long an operation waits for a connection; 5 seconds by default.
    #[must_use]
    pub const fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}

/// The two pools and the lock that keeps other processes out.
pub(super) struct Opened {
    pub(super) writer: SqlitePool,
    pub(super) reader: SqlitePool,
    pub(super) lock: File,
}

fn unavailable(path: &Path, source: impl Into<BoxError>) -> OpenError {
    OpenError::Unavailable {
        path: path.to_owned(),
        source: source.into(),
    }
}

/// Makes a private file if it is missing and checks one that is there.
fn private(path: &Path) -> Result<File, OpenError> {
    if let Ok(found) = path.symlink_metadata()
        && (!found.is_file() || found.mode() & 0o077 != 0)
    {
        return Err(OpenError::Exposed {
            path: path.to_owned(),
        });
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| unavailable(path, error))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(super) async fn open(path: &Path, options: &SqliteOptions) -> Result<Opened, OpenError> {
    let lock = private(&beside(path, ".lock"))?;
    lock.try_lock().map_err(|_| OpenError::InUse {
        path: path.to_owned(),
    })?;
    // SQLite gives its WAL and shared-memory files the mode of the database.
    drop(private(path)?);
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.wait)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .disable_statement_logging();
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(options.wait)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    let writer = pool()
        .max_connections(1)
        .min_connections(1)
        .connect_with(connect.clone())
        .await
        .map_err(|error| unavailable(path, error))?;
    let reader = pool()
        .max_connections(options.readers)
        .connect_with(connect.pragma("query_only", "ON"))
        .await
        .map_err(|error| unavailable(path, error))?;
    Ok(Opened {
        writer,
        reader,
        lock,
    })
}
