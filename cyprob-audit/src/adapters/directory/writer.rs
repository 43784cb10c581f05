//! Writing one log's directory, so that a crash at any moment leaves a valid log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::TEMPORARY;
use super::handle::{self, ReadError};
use crate::domain::{LogFile, LogId, Note, TileFile, TilePath};
use crate::ports::{Publication, TileSinkError};

/// The one writer of a log's directory.
#[derive(Debug)]
pub(super) struct LogWriter {
    log: LogId,
    path: PathBuf,
    root: OwnedFd,
    checkpoint: Option<Vec<u8>>,
    /// The files of the last publication that the next one replaces or builds on.
    written: Vec<(LogFile, Identity)>,
    poisoned: bool,
    serial: u64,
}

/// Which file it is: another file of the same name has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    length: i64,
}

impl Identity {
    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            length: stat.st_size,
        }
    }

    fn same_place(self, other: Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// Why a step failed.
enum Step {
    Io(io::Error),
    /// A sync failed: the kernel may have dropped what was written.
    Sync(io::Error),
}

impl From<io::Error> for Step {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for Step {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

impl LogWriter {
    /// Opens or makes the directory of a log, and takes away what an interrupted write left.
    pub(super) fn open(base: &Path, log: LogId) -> Result<Self, TileSinkError> {
        Self::open_inner(base, log).map_err(|source| unavailable(log, source))
    }

    fn open_inner(base: &Path, log: LogId) -> io::Result<Self> {
        let base_fd = handle::open_root(base)?;
        let name = log.to_string();
        match rustix::fs::mkdirat(&base_fd, name.as_str(), Mode::RWXU) {
            Ok(()) => rustix::fs::fsync(&base_fd)?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let root = handle::open_child(base_fd.as_fd(), &name)?;
        let mut removed = false;
        for entry in Dir::read_from(&root)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_bytes().starts_with(TEMPORARY.as_bytes()) {
                rustix::fs::unlinkat(&root, name, AtFlags::empty())?;
                removed = true;
            }
        }
        if removed {
            rustix::fs::fsync(&root)?;
        }
        let checkpoint = match handle::read(root.as_fd(), LogFile::Checkpoint, Note::MAX_BYTES) {
            Ok(checkpoint) => checkpoint,
            Err(ReadError::Io(error)) => return Err(error),
            Err(ReadError::NotAFile | ReadError::TooLong) => {
                return Err(io::Error::other("the checkpoint is no checkpoint file"));
            }
        };
        let mut writer = Self {
            log,
            path: base.join(name),
            root,
            checkpoint,
            written: Vec::new(),
            poisoned: false,
            serial: 0,
        };
        if writer.checkpoint.is_some() {
            writer
                .written
                .extend(writer.identified(LogFile::Checkpoint)?);
        }
        Ok(writer)
    }

    /// The published checkpoint.
    pub(super) fn checkpoint(&self) -> Option<&[u8]> {
        self.checkpoint.as_deref()
    }

    /// Writes the files, makes them durable, then the checkpoint if there is one.
    pub(super) fn publish(
        &mut self,
        files: &[TileFile],
        checkpoint: Option<Vec<u8>>,
    ) -> Result<Publication, TileSinkError> {
        if self.poisoned {
            return Err(TileSinkError::Poisoned { log: self.log });
        }
        self.check_unchanged()?;
        match self.write_all(files, checkpoint.as_deref()) {
            Ok(publication) => {
                if checkpoint.is_some() {
                    self.checkpoint = checkpoint;
                    self.remove_superseded(files);
                }
                Ok(publication)
            }
            Err(Step::Sync(source)) => {
                self.poisoned = true;
                Err(unavailable(self.log, source))
            }
            Err(Step::Io(source)) => Err(match Errno::from_io_error(&source) {
                Some(Errno::NOSPC | Errno::DQUOT) => TileSinkError::NoSpace { log: self.log },
                _ => unavailable(self.log, source),
            }),
        }
    }

    /// Refuses to go on where somebody else was at work.
    fn check_unchanged(&self) -> Result<(), TileSinkError> {
        let log = self.log;
        let failed = |error: Errno| unavailable(log, error.into());
        let own = rustix::fs::fstat(&self.root).map_err(failed)?;
        let named = rustix::fs::stat(&self.path);
        if !named.is_ok_and(|named| Identity::of(&named).same_place(Identity::of(&own))) {
            return Err(TileSinkError::Gone { log });
        }
        for (file, identity) in &self.written {
            let now = self
                .identified(*file)
                .map_err(|source| unavailable(log, source))?;
            if now.map(|(_, now)| now) != Some(*identity) {
                return Err(TileSinkError::Replaced { log, file: *file });
            }
        }
        let limit = Note::MAX_BYTES;
        match handle::read(self.root.as_fd(), LogFile::Checkpoint, limit) {
            Ok(now) if now == self.checkpoint => Ok(()),
            Ok(_) | Err(ReadError::NotAFile | ReadError::TooLong) => Err(TileSinkError::Replaced {
                log,
                file: LogFile::Checkpoint,
            }),
            Err(ReadError::Io(source)) => Err(unavailable(log, source)),
        }
    }

    /// A file with its identity; `None` if it is not there.
    fn identified(&self, file: LogFile) -> io::Result<Option<(LogFile, Identity)>> {
        let path = file.to_string();
        match rustix::fs::statat(&self.root, path.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some((file, Identity::of(&stat)))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn write_all(
        &mut self,
        files: &[TileFile],
        checkpoint: Option<&[u8]>,
    ) -> Result<Publication, Step> {
        let mut publication = Publication::default();
        let mut touched = BTreeMap::new();
        for TileFile { path, bytes } in files {
            let file = LogFile::Tile(*path);
            let (parent, name) = self.parent_of(file, &mut touched)?;
            let limit = path.max_bytes();
            match handle::read_in(parent.as_fd(), &name, limit) {
                Ok(Some(old)) if old == *bytes => {
                    // It may be there by an interrupted publication that never synced it.
                    sync_existing(parent.as_fd(), &name)?;
                    publication.present += 1;
                    continue;
                }
                Ok(None) => publication.written += 1,
                Ok(Some(_)) | Err(ReadError::NotAFile | ReadError::TooLong) => {
                    publication.repaired += 1;
                }
                Err(ReadError::Io(error)) => return Err(error.into()),
            }
            self.place(parent.as_fd(), &name, bytes)?;
        }
        for directory in touched.values() {
            sync(directory)?;
        }
        let Some(checkpoint) = checkpoint else {
            return Ok(publication);
        };
        let root = self.root.try_clone()?;
        self.place(root.as_fd(), "checkpoint", checkpoint)?;
        sync(&root)?;
        let partial = |file: &&TileFile| !file.path.is_full();
        let last = files.iter().filter(partial).map(|file| file.path);
        let last = last.map(LogFile::Tile).chain([LogFile::Checkpoint]);
        let mut written = Vec::new();
        for file in last {
            written.extend(self.identified(file)?);
        }
        self.written = written;
        Ok(publication)
    }

    /// The directory of a file, made if need be; every directory that gets a new entry is noted.
    fn parent_of(
        &self,
        file: LogFile,
        touched: &mut BTreeMap<String, OwnedFd>,
    ) -> Result<(OwnedFd, String), Step> {
        let (parents, name) = handle::split(file);
        let mut at = String::new();
        let mut parent = self.root.try_clone()?;
        for part in parents {
            match rustix::fs::mkdirat(&parent, part.as_str(), Mode::RWXU) {
                Ok(()) => {
                    touched.insert(at.clone(), parent.try_clone()?);
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            parent = handle::open_child(parent.as_fd(), &part)?;
            at.push_str(&part);
            at.push('/');
        }
        touched.insert(at, parent.try_clone()?);
        Ok((parent, name))
    }

    /// Puts a file in place: temporary name, sync, rename.
    fn place(&mut self, parent: BorrowedFd<'_>, name: &str, bytes: &[u8]) -> Result<(), Step> {
        self.serial += 1;
        let temporary = format!("{TEMPORARY}{}", self.serial);
        let result = self.place_as(&temporary, parent, name, bytes);
        if result.is_err() {
            let _ = rustix::fs::unlinkat(&self.root, temporary.as_str(), AtFlags::empty());
        }
        result
    }

    fn place_as(
        &self,
        temporary: &str,
        parent: BorrowedFd<'_>,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), Step> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file = File::from(rustix::fs::openat(&self.root, temporary, flags, mode)?);
        file.write_all(bytes)?;
        sync(&file)?;
        Ok(rustix::fs::renameat(&self.root, temporary, parent, name)?)
    }

    /// Takes away the partial files whose full ones the checkpoint now covers.
    ///
    /// What cannot be removed stays, and is valid.
    fn remove_superseded(&self, files: &[TileFile]) {
        for full in files.iter().filter(|file| file.path.is_full()) {
            let _ = self.remove_partials(full.path);
        }
    }

    fn remove_partials(&self, full: TilePath) -> Result<(), Step> {
        let directory = format!("{full}.p");
        let opened = match handle::open_child(self.root.as_fd(), &directory) {
            Ok(opened) => opened,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for entry in Dir::read_from(&opened)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_bytes().iter().all(u8::is_ascii_digit) {
                rustix::fs::unlinkat(&opened, name, AtFlags::empty())?;
            }
        }
        rustix::fs::unlinkat(&self.root, directory.as_str(), AtFlags::REMOVEDIR)?;
        Ok(())
    }
}

fn sync(file: impl AsFd) -> Result<(), Step> {
    rustix::fs::fsync(file).map_err(|error| Step::Sync(error.into()))
}

fn sync_existing(parent: BorrowedFd<'_>, name: &str) -> Result<(), Step> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    sync(rustix::fs::openat(parent, name, flags, Mode::empty())?)
}

fn unavailable(log: LogId, source: io::Error) -> TileSinkError {
    TileSinkError::Unavailable {
        log,
        source: Box::new(source),
    }
}
