//! Going on where a log's files end.

use super::prove::{FileTiles, FileTilesError};
use crate::domain::{
    Checkpoint, CheckpointError, Hash, LogFile, Note, OpenedCheckpoint, RightEdge, TILE_WIDTH,
    TileKind, TilePath, TreeTail, VerifierKey, decode_bundle,
};
use crate::ports::{LogFiles, LogFilesError};

/// Why a log's files cannot be gone on with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// A file cannot be read.
    #[error("the log's files cannot be read")]
    Files {
        /// Why.
        #[source]
        source: LogFilesError,
    },
    /// The checkpoint is not the log's.
    #[error("the checkpoint is not the log's")]
    Checkpoint {
        /// Why.
        #[source]
        source: CheckpointError,
    },
    /// A file that the checkpoint needs is missing or does not agree with it.
    #[error("a file of the log is missing or does not agree with its checkpoint")]
    Damaged,
}

/// The end of a published log and its checkpoint; `None` for a log without a checkpoint.
///
/// Reads the partial tiles and the partial bundle alone, and checks that they
/// lead to the signed root; what lies before them is for a verification.
///
/// # Errors
///
/// [`ResumeError`].
pub fn resume_tail(
    files: &dyn LogFiles,
    log: &VerifierKey,
) -> Result<Option<(TreeTail, OpenedCheckpoint)>, ResumeError> {
    let unreadable = |source| ResumeError::Files { source };
    let checkpoint = files.read(LogFile::Checkpoint, Note::MAX_BYTES);
    let Some(checkpoint) = checkpoint.map_err(unreadable)? else {
        return Ok(None);
    };
    let opened = Checkpoint::open(&checkpoint, log, &[])
        .map_err(|source| ResumeError::Checkpoint { source })?;
    let size = opened.checkpoint.size();
    let edge = RightEdge::read(&FileTiles(files), size).map_err(|error| match error {
        crate::domain::TreeError::Read {
            source: FileTilesError::Files(source),
            ..
        } => unreadable(source),
        _ => ResumeError::Damaged,
    })?;
    if edge.root() != *opened.checkpoint.root() {
        return Err(ResumeError::Damaged);
    }
    let width = size % TILE_WIDTH;
    let bundle = match TilePath::of_width(TileKind::Entries, size / TILE_WIDTH, width) {
        None => Vec::new(),
        Some(path) => super::verify::read_required(files, path)
            .map_err(unreadable)?
            .ok_or(ResumeError::Damaged)?,
    };
    let entries = u16::try_from(width)
        .ok()
        .and_then(|width| decode_bundle(&bundle, width).ok())
        .ok_or(ResumeError::Damaged)?;
    let agrees = |(entry, leaf): (&[u8], &Hash)| Hash::of_leaf(entry) == *leaf;
    if !entries.into_iter().zip(edge.row(0)).all(agrees) {
        return Err(ResumeError::Damaged);
    }
    let tail = TreeTail::resume(edge, bundle).map_err(|_| ResumeError::Damaged)?;
    Ok(Some((tail, opened)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::TestLog;

    #[test]
    fn a_log_goes_on_from_its_files() {
        for count in [0, 1, 255, 256, 300, 513] {
            let mut log = TestLog::of_events("log.example/a", count).unwrap();
            let (mut tail, opened) = resume_tail(&log.files, log.key()).unwrap().unwrap();
            assert_eq!(opened.checkpoint.size(), count);
            let at = opened.checkpoint.time().unwrap();
            let own = tail.append(&[b"next"]).unwrap();
            assert_eq!(log.append(&[b"next".to_vec()], at).unwrap(), own);
            assert_eq!(log.head(at).root(), &tail.root());
        }
        let empty = TestLog::new("log.example/a", 7).unwrap();
        assert!(resume_tail(&empty.files, empty.key()).unwrap().is_none());
    }

    #[test]
    fn damaged_ends_are_refused() {
        let log = TestLog::of_events("log.example/a", 300).unwrap();
        for file in ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"] {
            let file: LogFile = file.parse().unwrap();
            let mut files = log.files.clone();
            let mut bytes = files.remove(file).unwrap();
            assert!(matches!(
                resume_tail(&files, log.key()),
                Err(ResumeError::Damaged)
            ));
            // A byte of the first hash or of the first entry.
            bytes[9] ^= 1;
            files.insert(file, bytes);
            assert!(matches!(
                resume_tail(&files, log.key()),
                Err(ResumeError::Damaged)
            ));
        }
        let other = TestLog::new("log.example/a", 8).unwrap();
        let refused = resume_tail(&log.files, other.key());
        assert!(matches!(refused, Err(ResumeError::Checkpoint { .. })));
    }
}
