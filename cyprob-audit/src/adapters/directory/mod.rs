//! Logs as directories of plain files, laid out as C2SP tlog-tiles.
//!
//! A static file server over such a directory is a valid log. Files appear
//! whole or not at all: written under a temporary name, synced, renamed, the
//! directory synced, and the checkpoint last. No link is followed, neither
//! when writing nor when reading, except in the path that the host gives.

mod handle;
mod reader;
mod sink;
#[cfg(test)]
mod tests;
mod walk;
mod writer;

pub use reader::DirectoryLog;
pub use sink::DirectorySink;

/// What the names of files begin with while they are written.
const TEMPORARY: &str = ".tmp-";
