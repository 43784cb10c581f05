//! Disclosed passwords in a sorted file, as the offline download of Have I Been Pwned is.
//!
//! Lines are `SHA-1:COUNT` in ascending order of the hash, in hexadecimal digits
//! of either case, ended by a line feed or by both characters; the count may be
//! missing. Nothing of the file is kept in memory: a search reads about as many
//! places as the file's size has bits. The file is opened once; a newer one that
//! takes its name is read after the next start, and one that is changed in place
//! is refused.

mod line;
mod search;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::BreachDigest;
use crate::ports::{BreachList, BreachListError};

/// The file cannot serve as a list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BreachFileError {
    /// It cannot be read.
    #[error("the file of disclosed passwords cannot be read")]
    Read(#[from] io::Error),
    /// It is a directory, a device, a pipe or a socket.
    #[error("the file of disclosed passwords is not a plain file")]
    NotPlain,
    /// It has no line.
    #[error("the file of disclosed passwords is empty")]
    Empty,
    /// A line is not of the form `SHA-1:COUNT`.
    #[error("the file of disclosed passwords has a line that is not SHA-1:COUNT near byte {at}")]
    Malformed {
        /// About where, in bytes from the start.
        at: u64,
    },
    /// A hash comes after a greater one.
    #[error(
        "the file of disclosed passwords is not sorted by hash near byte {at}: sort it with LC_ALL=C"
    )]
    Unsorted {
        /// About where, in bytes from the start.
        at: u64,
    },
    /// Its length is not what it was when it was opened.
    #[error(
        "the file of disclosed passwords was changed in place: put a new one under its name and start again"
    )]
    Changed,
}

/// A sorted file of disclosed passwords.
#[derive(Clone)]
pub struct BreachFile(Arc<search::Sorted>);

impl BreachFile {
    /// Opens a file and looks at a thousand places whether it is what it should be.
    ///
    /// # Errors
    ///
    /// [`BreachFileError`] with what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, BreachFileError> {
        // Asked before opening: opening a named pipe would wait for a writer.
        if !fs::metadata(path)?.is_file() {
            return Err(BreachFileError::NotPlain);
        }
        let file = File::open(path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(BreachFileError::NotPlain);
        }
        let sorted = search::Sorted::new(file, about.len());
        sorted.sample()?;
        Ok(Self(Arc::new(sorted)))
    }
}

impl fmt::Debug for BreachFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BreachFile(…)")
    }
}

#[async_trait]
impl BreachList for BreachFile {
    async fn holds(&self, password: &BreachDigest) -> Result<bool, BreachListError> {
        let sorted = Arc::clone(&self.0);
        let password = password.clone();
        let found = tokio::task::spawn_blocking(move || sorted.holds(password.as_bytes())).await;
        found
            .map_err(BreachListError::new)?
            .map_err(BreachListError::new)
    }
}
