//! A private directory and durable changes in it.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

use cyprob_core::ports::{Entropy, EntropyExt};
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

#[cfg(test)]
use super::faults;
use crate::adapters::private_file::{self, ReadFault};
use crate::ports::{Damage, Refusal, Sealed, SecretError};

const LOCK: &str = ".lock";
/// What the names of files begin with that are not in place yet.
const TEMPORARY: &str = ".tmp-";
/// More than the largest sealed file; a larger one is not ours.
const MAX_FILE: usize = 80 * 1024;

/// An opened private directory.
#[derive(Debug)]
pub(super) struct Dir {
    fd: OwnedFd,
    temporary: String,
}

/// A lock on a directory, held until it drops.
#[must_use = "the lock ends when this drops"]
pub(super) struct Locked {
    _file: OwnedFd,
}

impl From<Errno> for SecretError {
    fn from(errno: Errno) -> Self {
        Self::unavailable(std::io::Error::from(errno))
    }
}

impl Dir {
    /// Opens the directory, making it with mode 0700 if it is missing.
    pub(super) fn open_or_make(path: &Path) -> Result<Self, SecretError> {
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) => Self::sync_parent(path)?,
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
        let dir = Self::open(path)?;
        let stat = rustix::fs::fstat(&dir.fd)?;
        private_file::check(&stat, FileType::Directory).map_err(unsafe_directory)?;
        Ok(dir)
    }

    /// Opens a directory without judging it.
    pub(super) fn open(path: &Path) -> Result<Self, SecretError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Self {
                fd,
                temporary: TEMPORARY.to_owned(),
            }),
            Err(Errno::LOOP) => Err(unsafe_directory(Refusal::SymbolicLink)),
            // With NOFOLLOW and DIRECTORY a link is "not a directory" too.
            Err(Errno::NOTDIR) => Err(unsafe_directory(Refusal::WrongKind)),
            Err(errno) => Err(errno.into()),
        }
    }

    /// In a directory that is not ours alone: temporary files are told from others by this.
    pub(super) fn for_file(self, file: &str) -> Self {
        Self {
            temporary: format!("{TEMPORARY}{file}-"),
            ..self
        }
    }

    fn sync_parent(path: &Path) -> Result<(), SecretError> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(parent, flags, Mode::empty())?;
        Ok(rustix::fs::fsync(fd)?)
    }

    /// Waits for the lock: `write` excludes all others, else only writers.
    pub(super) fn lock(&self, write: bool) -> Result<Locked, SecretError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.fd, LOCK, flags, Mode::RUSR | Mode::WUSR)?;
        let operation = if write {
            FlockOperation::LockExclusive
        } else {
            FlockOperation::LockShared
        };
        rustix::io::retry_on_intr(|| rustix::fs::flock(&file, operation))?;
        Ok(Locked { _file: file })
    }

    /// Reads a file; `None` if there is none.
    pub(super) fn read(
        &self,
        file: &str,
        item: &Sealed,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
        private_file::read(&self.fd, file, MAX_FILE).map_err(|fault| match fault {
            ReadFault::Refused(Refusal::TooLarge { .. }) => SecretError::Damaged {
                item: item.clone(),
                damage: Damage::Length,
            },
            ReadFault::Refused(refusal) => SecretError::UnsafeStore {
                item: item.clone(),
                refusal,
            },
            ReadFault::Io(error) => SecretError::unavailable(error),
        })
    }

    /// Whether there is a file of this name, whatever it is.
    pub(super) fn has(&self, file: &str) -> Result<bool, SecretError> {
        match rustix::fs::statat(&self.fd, file, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Puts a file in place, whole and durable, over one that may be there.
    pub(super) fn replace(
        &self,
        file: &str,
        bytes: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<(), SecretError> {
        let temporary = self.write_temporary(bytes, entropy)?;
        #[cfg(test)]
        faults::step().inspect_err(|_| self.discard(&temporary))?;
        if let Err(errno) = rustix::fs::renameat(&self.fd, &temporary, &self.fd, file) {
            self.discard(&temporary);
            return Err(errno.into());
        }
        self.sync()
    }

    /// Puts a file in place, whole and durable; `false` if there is one, which stays.
    pub(super) fn create(
        &self,
        file: &str,
        bytes: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<bool, SecretError> {
        let temporary = self.write_temporary(bytes, entropy)?;
        #[cfg(test)]
        faults::step().inspect_err(|_| self.discard(&temporary))?;
        let linked = rustix::fs::linkat(&self.fd, &temporary, &self.fd, file, AtFlags::empty());
        self.discard(&temporary);
        match linked {
            Ok(()) => self.sync().map(|()| true),
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    fn write_temporary(&self, bytes: &[u8], entropy: &dyn Entropy) -> Result<String, SecretError> {
        #[cfg(test)]
        faults::step()?;
        let tag = u64::from_be_bytes(entropy.bytes());
        let name = format!("{}{tag:016x}", self.temporary);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, &name, flags, Mode::RUSR | Mode::WUSR)?;
        let mut file = File::from(fd);
        #[cfg(test)]
        faults::step().inspect_err(|_| self.discard(&name))?;
        if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
            self.discard(&name);
            return Err(SecretError::unavailable(error));
        }
        Ok(name)
    }

    /// Removes a temporary file; one that stays is removed at the next opening.
    fn discard(&self, temporary: &str) {
        #[cfg(test)]
        if faults::step().is_err() {
            return;
        }
        let _ = rustix::fs::unlinkat(&self.fd, temporary, AtFlags::empty());
    }

    /// Removes what an interrupted write left; needs the exclusive lock.
    pub(super) fn clean(&self) -> Result<(), SecretError> {
        for name in self.list()? {
            if name.starts_with(&self.temporary) {
                self.discard(&name);
            }
        }
        Ok(())
    }

    /// Removes a file if it is there; durable only after [`Dir::sync`].
    pub(super) fn remove(&self, file: &str) -> Result<(), SecretError> {
        #[cfg(test)]
        faults::step()?;
        match rustix::fs::unlinkat(&self.fd, file, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Makes the directory's own changes durable.
    pub(super) fn sync(&self) -> Result<(), SecretError> {
        #[cfg(test)]
        faults::step()?;
        Ok(rustix::fs::fsync(&self.fd)?)
    }

    /// The names of all files that are UTF-8, as ours are.
    pub(super) fn list(&self) -> Result<Vec<String>, SecretError> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd)? {
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

fn unsafe_directory(refusal: Refusal) -> SecretError {
    SecretError::UnsafeStore {
        item: Sealed::Directory,
        refusal,
    }
}
