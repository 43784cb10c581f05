//! The files of a log directory.

use std::fmt;
use std::str::FromStr;

use super::tile::TilePath;

/// The path is not that of a file of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a file of a log")]
pub struct NotALogFile;

/// A file of a log, by its path below the log's directory (C2SP tlog-tiles).
///
/// Whoever reads or writes files takes this and no text, so that no path from
/// outside reaches a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogFile {
    /// The signed tree head, `checkpoint`.
    Checkpoint,
    /// A tile or an entry bundle, below `tile/`.
    Tile(TilePath),
}

impl fmt::Display for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Tile(path) => path.fmt(f),
        }
    }
}

impl FromStr for LogFile {
    type Err = NotALogFile;

    fn from_str(text: &str) -> Result<Self, NotALogFile> {
        if text == "checkpoint" {
            return Ok(Self::Checkpoint);
        }
        text.parse().map(Self::Tile).map_err(|_| NotALogFile)
    }
}

/// Reads an ASCII decimal without sign, spaces and leading zeros.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}
