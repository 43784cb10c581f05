//! Reading the files of one log, for verification.

use std::fmt::Debug;
use std::ops::ControlFlow;

use crate::domain::LogFile;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a file cannot be had although something is there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogFilesError {
    /// What bears the file's name is a link, a directory or a device.
    #[error("not a regular file")]
    NotAFile,
    /// It is longer than such a file can be.
    #[error("longer than such a file can be")]
    TooLong,
    /// The backend failed.
    #[error("the log's files cannot be read")]
    Unavailable {
        /// Why.
        #[source]
        source: BoxError,
    },
}

/// One thing that stands in a log's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file whose path is that of a file of a log.
    File(LogFile),
    /// What an interrupted write left; no part of the log.
    Temporary,
    /// Anything else, by its path, at most 256 characters of it.
    Stranger(String),
}

/// Reads the files of one log.
///
/// The calls block: verification is hashing and local reading, and runs on a
/// thread of its own. Implementations follow no link.
pub trait LogFiles: Debug {
    /// The bytes of a file, at most `limit`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`LogFilesError`]; [`LogFilesError::TooLong`] without reading on.
    fn read(&self, file: LogFile, limit: usize) -> Result<Option<Vec<u8>>, LogFilesError>;

    /// Shows everything that stands in the log's directory, in any order, until told to stop.
    ///
    /// # Errors
    ///
    /// [`LogFilesError::Unavailable`].
    fn walk(&self, visit: &mut dyn FnMut(Found) -> ControlFlow<()>) -> Result<(), LogFilesError>;
}
