//! Opening and reading below a directory without following links.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::domain::LogFile;

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// Why nothing could be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// There is something, and it is no regular file.
    NotAFile,
    /// It is longer than the limit.
    TooLong,
    /// The system says no.
    Io(io::Error),
}

impl From<Errno> for ReadError {
    fn from(error: Errno) -> Self {
        match error {
            // A link, something where a directory should be, a socket.
            Errno::LOOP | Errno::NOTDIR | Errno::ISDIR | Errno::NXIO => Self::NotAFile,
            other => Self::Io(other.into()),
        }
    }
}

/// Opens the directory that the host names; links in its path are followed.
pub(super) fn open_root(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, DIRECTORY, Mode::empty())?)
}

/// Opens a directory inside another.
pub(super) fn open_child(parent: BorrowedFd<'_>, name: &str) -> rustix::io::Result<OwnedFd> {
    openat(parent, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

/// The directories above a file, and the file's own name.
pub(super) fn split(file: LogFile) -> (Vec<String>, String) {
    let mut parts: Vec<String> = file.to_string().split('/').map(str::to_owned).collect();
    let name = parts.pop().unwrap_or_default();
    (parts, name)
}

/// Reads a file of a log; `None` if there is none.
pub(super) fn read(
    root: BorrowedFd<'_>,
    file: LogFile,
    limit: usize,
) -> Result<Option<Vec<u8>>, ReadError> {
    let (parents, name) = split(file);
    let mut parent: Option<OwnedFd> = None;
    for part in parents {
        let above = parent.as_ref().map_or(root, AsFd::as_fd);
        match open_child(above, &part) {
            Ok(child) => parent = Some(child),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    read_in(parent.as_ref().map_or(root, AsFd::as_fd), &name, limit)
}

/// Reads a regular file of a directory; `None` if there is none.
pub(super) fn read_in(
    parent: BorrowedFd<'_>,
    name: &str,
    limit: usize,
) -> Result<Option<Vec<u8>>, ReadError> {
    // Without NONBLOCK a pipe would keep us waiting for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = match openat(parent, name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let stat = rustix::fs::fstat(&opened)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(ReadError::NotAFile);
    }
    let length = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if length > limit {
        return Err(ReadError::TooLong);
    }
    let mut bytes = Vec::with_capacity(length);
    // It may grow while it is read.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::from(opened)
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(ReadError::Io)?;
    if bytes.len() > limit {
        return Err(ReadError::TooLong);
    }
    Ok(Some(bytes))
}
