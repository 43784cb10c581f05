//! What stands in a log's directory beyond what its checkpoint requires.

use std::ops::ControlFlow;

use super::directory::{beginning, read_required};
use super::options::Options;
use super::report::{Reason, Reasons, VerifyError};
use crate::domain::{Checkpoint, LogFile, Note, TILE_WIDTH, TileKind, TilePath};
use crate::ports::{Found, LogFiles, LogFilesError};

/// Where a tile stands, seen from a tree of some size.
enum Place {
    /// The size requires it, so it was read already.
    Required,
    /// It is the beginning of one that the size requires.
    Beginning { of: TilePath },
    /// It goes on after the size.
    Beyond,
}

/// Walks the directory: older partial files must agree, and nothing else may be there.
pub(super) fn judge(
    files: &dyn LogFiles,
    options: &Options,
    size: u64,
    integrity: &mut Reasons,
    completeness: &mut Reasons,
) -> Result<(), VerifyError> {
    let mut latest = None;
    let mut failed = None;
    files
        .walk(&mut |found| {
            let path = match found {
                Found::File(LogFile::Checkpoint) | Found::Temporary => {
                    return ControlFlow::Continue(());
                }
                Found::Stranger(path) => {
                    completeness.add(Reason::Stranger { path });
                    return stop_when(completeness.is_full());
                }
                Found::File(LogFile::Tile(path)) => path,
            };
            match place(path, size) {
                Place::Required => {}
                Place::Beginning { of } => match agrees(files, path, of) {
                    Ok(true) => {}
                    Ok(false) => integrity.add(Reason::Leftover {
                        file: LogFile::Tile(path),
                    }),
                    Err(error) => {
                        failed = Some(error);
                        return ControlFlow::Break(());
                    }
                },
                Place::Beyond => {
                    let now = *latest.get_or_insert_with(|| size_now(files, options, size));
                    if matches!(place(path, now), Place::Beyond) {
                        completeness.add(Reason::Beyond {
                            file: LogFile::Tile(path),
                            size,
                        });
                    }
                }
            }
            stop_when(integrity.is_full() || completeness.is_full())
        })
        .map_err(|source| VerifyError::Files { source })?;
    match failed {
        None => Ok(()),
        Some(source) => Err(VerifyError::Files { source }),
    }
}

const fn stop_when(stop: bool) -> ControlFlow<()> {
    if stop {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

fn place(path: TilePath, size: u64) -> Place {
    let level = match path.kind() {
        TileKind::Entries => 0,
        TileKind::Hashes { level } => u32::from(level),
    };
    let count = size.checked_shr(8 * level).unwrap_or(0);
    let start = path.index().saturating_mul(TILE_WIDTH);
    let width = count.saturating_sub(start).min(TILE_WIDTH);
    let own = u64::from(path.width());
    match TilePath::of_width(path.kind(), path.index(), width) {
        Some(_) if own == width => Place::Required,
        Some(of) if own < width => Place::Beginning { of },
        _ => Place::Beyond,
    }
}

/// Whether a partial file is the beginning of the one that took its place.
fn agrees(files: &dyn LogFiles, path: TilePath, of: TilePath) -> Result<bool, LogFilesError> {
    let bytes = match files.read(LogFile::Tile(path), path.max_bytes()) {
        Ok(Some(bytes)) => bytes,
        // The writer took it away meanwhile, which it may.
        Ok(None) => return Ok(true),
        Err(LogFilesError::NotAFile | LogFilesError::TooLong) => return Ok(false),
        Err(error) => return Err(error),
    };
    match read_required(files, of) {
        Ok(Some(whole)) => {
            let end = beginning(&whole, path);
            Ok(end.and_then(|end| whole.get(..end)) == Some(bytes.as_slice()))
        }
        // Reported where it was required.
        Ok(None) | Err(LogFilesError::NotAFile | LogFilesError::TooLong) => Ok(true),
        Err(error) => Err(error),
    }
}

/// The size of the checkpoint as it is now, if the log grew since the verification began.
fn size_now(files: &dyn LogFiles, options: &Options, size: u64) -> u64 {
    files
        .read(LogFile::Checkpoint, Note::MAX_BYTES)
        .ok()
        .flatten()
        .and_then(|bytes| Checkpoint::open(&bytes, &options.log, &[]).ok())
        .map_or(size, |opened| opened.checkpoint.size().max(size))
}
