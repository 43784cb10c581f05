//! Walking a log directory, however large or strange it is.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::fs::{AtFlags, Dir, FileType, statat};
use rustix::io::Errno;

use super::TEMPORARY;
use super::handle::open_child;
use crate::domain::LogFile;
use crate::ports::Found;

/// `tile`, a level, seven groups of digits and `.p`: no log goes deeper.
const MAX_DEPTH: usize = 12;
/// The longest path that is told, in characters.
const MAX_TOLD: usize = 256;

/// Shows everything below the directory. Memory is bounded by the depth.
pub(super) fn walk(
    root: BorrowedFd<'_>,
    visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut stack = vec![(Dir::read_from(root)?, String::new())];
    loop {
        let depth = stack.len();
        let Some((dir, above)) = stack.last_mut() else {
            return Ok(());
        };
        let Some(entry) = dir.next() else {
            stack.pop();
            continue;
        };
        let entry = entry?;
        let raw = entry.file_name();
        if matches!(raw.to_bytes(), b"." | b"..") {
            continue;
        }
        let name = raw.to_string_lossy();
        let path = format!("{above}{name}");
        let here = dir.fd()?;
        let kind = match statat(here, raw, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode),
            // Gone since it was listed.
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        let found = match kind {
            FileType::Directory if depth < MAX_DEPTH && path.len() < 4096 => {
                match raw.to_str().map(|name| open_child(here.as_fd(), name)) {
                    Ok(Ok(child)) => {
                        let child = Dir::read_from(child.as_fd())?;
                        stack.push((child, format!("{path}/")));
                        continue;
                    }
                    Ok(Err(Errno::NOENT)) => continue,
                    Ok(Err(Errno::LOOP | Errno::NOTDIR)) | Err(_) => stranger(&path),
                    Ok(Err(error)) => return Err(error.into()),
                }
            }
            FileType::RegularFile if above.is_empty() && name.starts_with(TEMPORARY) => {
                Found::Temporary
            }
            FileType::RegularFile => path
                .parse::<LogFile>()
                .map_or_else(|_| stranger(&path), Found::File),
            _ => stranger(&path),
        };
        if visit(found).is_break() {
            return Ok(());
        }
    }
}

fn stranger(path: &str) -> Found {
    Found::Stranger(path.chars().take(MAX_TOLD).collect())
}
