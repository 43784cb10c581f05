//! Opening a database file, or refusing to.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::process::geteuid;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection, SqlitePool};

use crate::ports::store::BoxError;

/// A database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it, or this one has it open already.
    #[error("another process uses the database {}; end it first", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// It is no plain file, is another user's, or others may read it.
    #[error(
        "{} must be a plain file, no link, that belongs to the user of this process and that nobody else can read: chown and chmod 600 it",
        path.display()
    )]
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
#[derive(Debug)]
pub struct Opened {
    pub(super) writer: SqlitePool,
    pub(super) reader: SqlitePool,
    pub(super) _lock: File,
}

fn unavailable(path: &Path, source: impl Into<BoxError>) -> OpenError {
    OpenError::Unavailable {
        path: path.to_owned(),
        source: source.into(),
    }
}

/// Opens a private file without following a link, and makes it if `create` says so.
///
/// What is checked is what was opened, so nothing can be put in its place meanwhile.
fn private(path: &Path, create: bool) -> Result<Option<File>, OpenError> {
    let exposed = || OpenError::Exposed {
        path: path.to_owned(),
    };
    // Without O_NONBLOCK a pipe in the file's place would make the start hang.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .mode(0o600)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if !create && error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let plain = path
                .symlink_metadata()
                .map_or(true, |found| found.is_file());
            return Err(if plain {
                unavailable(path, error)
            } else {
                exposed()
            });
        }
    };
    let found = file.metadata().map_err(|error| unavailable(path, error))?;
    let private = found.is_file() && found.mode() & 0o077 == 0 && found.uid() == geteuid().as_raw();
    if private {
        Ok(Some(file))
    } else {
        Err(exposed())
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Takes the lock beside the database; it is held until the file is closed.
fn lock(path: &Path) -> Result<File, OpenError> {
    let name = beside(path, ".lock");
    let file = private(&name, true)?.ok_or_else(|| OpenError::Exposed { path: name.clone() })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(unavailable(&name, error)),
    }
}

/// Makes the database's files private, and the new file's name as durable as what will be in it.
fn prepare(path: &Path) -> Result<(), OpenError> {
    // SQLite gives its WAL and shared-memory files the mode of the database.
    for suffix in ["-wal", "-shm", "-journal"] {
        private(&beside(path, suffix), false)?;
    }
    private(path, true)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| unavailable(path, error))
}

pub(super) async fn open(path: &Path, options: &SqliteOptions) -> Result<Opened, OpenError> {
    // SQLite reads a meaning into names such as `:memory:`; an absolute path has none.
    let path = std::path::absolute(path).map_err(|error| unavailable(path, error))?;
    let lock = lock(&path)?;
    prepare(&path)?;
    let connect = SqliteConnectOptions::new()
        .filename(&path)
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
            .after_release(|connection, _| Box::pin(is_done(connection)))
    };
    let writer = pool()
        .max_connections(1)
        .min_connections(1)
        .connect_with(connect.clone())
        .await
        .map_err(|error| unavailable(&path, error))?;
    let reader = pool()
        .max_connections(options.readers)
        .connect_with(connect.pragma("query_only", "ON"))
        .await
        .map_err(|error| unavailable(&path, error))?;
    Ok(Opened {
        writer,
        reader,
        _lock: lock,
    })
}

/// Whether a connection that comes back can be used again.
///
/// On a full or broken disk SQLite takes a transaction back by itself. The
/// rollback that follows then fails, and the connection counts as within a
/// transaction for ever: it is closed, and a new one takes its place.
async fn is_done(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // What was still to be rolled back is, before this is answered.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}
