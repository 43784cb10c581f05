//! The file that hands the one-time token to whoever can read the data directory.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::DataDir;

/// `DIR/bootstrap-token`, mode 0600.
#[derive(Clone, Debug)]
pub(crate) struct BootstrapFile(PathBuf);

impl BootstrapFile {
    /// The file of a data directory.
    pub(crate) fn of(data: &DataDir) -> Self {
        Self(data.join("bootstrap-token"))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Waits until no other node draws a token; held until the file is dropped.
    ///
    /// The newest token is then in the file as it is in the store.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub(crate) async fn lock(&self) -> Result<File> {
        let path = self.0.with_extension("lock");
        let locked = tokio::task::spawn_blocking(move || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false).mode(0o600);
            let file = options.open(path)?;
            rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
            Ok(file)
        });
        locked.await?
    }

    /// Writes a new token over an old one, in one step.
    ///
    /// # Errors
    ///
    /// What the file system says; an old file is still whole then.
    pub(crate) fn write(&self, token: &str) -> Result<()> {
        let fresh = self.0.with_extension("new");
        remove(&fresh)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(token.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.0)
    }

    /// Deletes it; nothing happens if it is gone.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub(crate) fn delete(&self) -> Result<()> {
        remove(&self.0)
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
