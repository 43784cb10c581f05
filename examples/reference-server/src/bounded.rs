//! Reading files that somebody names, bounded.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// A regular file's bytes, but never more than one past the limit: that is
/// enough to see that it is too long.
pub(crate) fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    // Asked before opening: opening a named pipe would wait for a writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    read_any(path, limit)
}

/// The same for anything that can be read, pipes included.
pub(crate) fn read_any(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
