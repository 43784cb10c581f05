//! The demo's data directory.

use std::path::{Path, PathBuf};

use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::ports::Entropy as _;

use crate::server::{DataDir, DataDirError};

/// A fresh directory; one of our own making is removed at the end.
#[derive(Debug)]
pub(super) struct DemoDirectory {
    path: PathBuf,
    ours: bool,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum DirectoryError {
    /// It cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// There is something in it.
    #[error("{} is not empty; the demo begins with nothing", .0.display())]
    NotEmpty(PathBuf),
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl DemoDirectory {
    /// The directory given, which must be empty, or a new one for temporary files.
    pub(super) fn make(given: Option<&Path>) -> Result<Self, DirectoryError> {
        let (path, ours) = match given {
            Some(path) => (path.to_owned(), false),
            None => {
                let mut random = [0; 8];
                SystemEntropy.fill(&mut random);
                let name = format!("cyprob-demo-{:016x}", u64::from_be_bytes(random));
                (std::env::temp_dir().join(name), true)
            }
        };
        let path = DataDir::open(&path)?.path().to_owned();
        let mut entries = std::fs::read_dir(&path).map_err(|source| DirectoryError::Read {
            path: path.clone(),
            source,
        })?;
        if entries.next().is_some() {
            return Err(DirectoryError::NotEmpty(path));
        }
        Ok(Self { path, ours })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, if the demo made it.
    pub(super) fn remove(self) {
        if self.ours
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, "the demo's directory stays");
        }
    }
}
