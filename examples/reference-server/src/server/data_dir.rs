//! The data directory: ours alone, or refused.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A directory that its owner alone can enter, and that we can write.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

/// The directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    /// It cannot be made or read.
    #[error("cannot use the data directory {}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// Others can look into it.
    #[error("others can read the data directory {0} (mode {1:o}): chmod 700 {0}", path.display(), mode)]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to another user.
    #[error("the data directory {} belongs to user {owner}, and this process runs as another", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
    },
    /// Its owner may not write it.
    #[error("the data directory {0} is read-only (mode {1:o}): chmod 700 {0}", path.display(), mode)]
    ReadOnly {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl DataDir {
    /// Makes the directory if it is missing and checks whose it is.
    ///
    /// # Errors
    ///
    /// [`DataDirError`] with the directory and the remedy.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |source| DataDirError::Unusable {
            path: path.to_owned(),
            source,
        };
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unusable(error)),
        }
        let path = path.canonicalize().map_err(unusable)?;
        let found = path.metadata().map_err(|source| DataDirError::Unusable {
            path: path.clone(),
            source,
        })?;
        let mode = found.permissions().mode() & 0o777;
        if !found.is_dir() {
            return Err(DataDirError::NotADirectory { path });
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(DataDirError::Foreign {
                path,
                owner: found.uid(),
            });
        }
        if mode & 0o077 != 0 {
            return Err(DataDirError::Open { path, mode });
        }
        if mode & 0o700 != 0o700 {
            return Err(DataDirError::ReadOnly { path, mode });
        }
        Ok(Self(path))
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file or directory in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn takes_a_private_directory_and_no_other() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("data");
        DataDir::open(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);

        chmod(&path, 0o750);
        assert!(matches!(
            DataDir::open(&path),
            Err(DataDirError::Open { mode: 0o750, .. })
        ));
        chmod(&path, 0o500);
        assert!(matches!(
            DataDir::open(&path),
            Err(DataDirError::ReadOnly { .. })
        ));
        chmod(&path, 0o700);

        let file = temp.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(
            DataDir::open(&file),
            Err(DataDirError::NotADirectory { .. })
        ));
        let missing = temp.path().join("no/such/parent");
        assert!(matches!(
            DataDir::open(&missing),
            Err(DataDirError::Unusable { .. })
        ));
    }
}
