//! Files that only this process's user (or root) may read.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::ports::Refusal;

/// Why a private file was not read.
#[derive(Debug)]
pub(crate) enum ReadFault {
    /// It is there, but not acceptable.
    Refused(Refusal),
    /// The system failed.
    Io(io::Error),
}

impl From<Errno> for ReadFault {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

/// Reads a private regular file of at most `max` bytes; `None` if there is none.
///
/// Everything is checked on the opened descriptor, so the path cannot be
/// exchanged between check and use; a pipe without writer does not block.
pub(crate) fn read(
    dir: impl AsFd,
    path: &str,
    max: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>, ReadFault> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = match rustix::fs::openat(dir, path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(Errno::LOOP) => return Err(ReadFault::Refused(Refusal::SymbolicLink)),
        Err(Errno::NXIO) => return Err(ReadFault::Refused(Refusal::WrongKind)),
        Err(errno) => return Err(errno.into()),
    };
    let stat = rustix::fs::fstat(&fd)?;
    check(&stat, FileType::RegularFile).map_err(ReadFault::Refused)?;
    let too_large = ReadFault::Refused(Refusal::TooLarge { max });
    match usize::try_from(stat.st_size) {
        Ok(size) if size <= max => read_bounded(fd, size, too_large).map(Some),
        _ => Err(too_large),
    }
}

/// Checks kind, owner and mode of an opened file.
pub(crate) fn check(stat: &Stat, kind: FileType) -> Result<(), Refusal> {
    if FileType::from_raw_mode(stat.st_mode) != kind {
        Err(Refusal::WrongKind)
    } else if stat.st_uid != 0 && stat.st_uid != rustix::process::geteuid().as_raw() {
        Err(Refusal::WrongOwner)
    } else if stat.st_mode & 0o077 != 0 {
        Err(Refusal::OpenMode)
    } else {
        Ok(())
    }
}

/// Reads into one allocation that never moves, so no unwiped copy stays behind.
fn read_bounded(
    fd: OwnedFd,
    size: usize,
    grown: ReadFault,
) -> Result<Zeroizing<Vec<u8>>, ReadFault> {
    let mut file = File::from(fd);
    let mut bytes = Zeroizing::new(vec![0; size + 1]);
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ReadFault::Io(error)),
        }
    }
    if filled > size {
        return Err(grown);
    }
    bytes.truncate(filled);
    Ok(bytes)
}
