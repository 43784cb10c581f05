//! Reading a log directory.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use super::handle::{self, ReadError};
use super::walk;
use crate::domain::LogFile;
use crate::ports::{Found, LogFiles, LogFilesError};

/// A log directory, open for reading.
///
/// It stays the directory that was opened, whatever becomes of its name.
#[derive(Debug)]
pub struct DirectoryLog {
    root: OwnedFd,
}

impl DirectoryLog {
    /// Opens the directory of a log: the one that holds `checkpoint` and `tile/`.
    ///
    /// # Errors
    ///
    /// The system's, if it is no directory or cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            root: handle::open_root(path)?,
        })
    }
}

impl LogFiles for DirectoryLog {
    fn read(&self, file: LogFile, limit: usize) -> Result<Option<Vec<u8>>, LogFilesError> {
        handle::read(self.root.as_fd(), file, limit).map_err(|error| match error {
            ReadError::NotAFile => LogFilesError::NotAFile,
            ReadError::TooLong => LogFilesError::TooLong,
            ReadError::Io(source) => unavailable(source),
        })
    }

    fn walk(&self, visit: &mut dyn FnMut(Found) -> ControlFlow<()>) -> Result<(), LogFilesError> {
        walk::walk(self.root.as_fd(), visit).map_err(unavailable)
    }
}

fn unavailable(source: io::Error) -> LogFilesError {
    LogFilesError::Unavailable {
        source: Box::new(source),
    }
}
