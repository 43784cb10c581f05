//! Making proofs from a log's files.

use crate::domain::{
    BadTile, Checkpoint, CheckpointError, Hash, LogFile, Note, TILE_WIDTH, TileKind, TilePath,
    TileReader, TlogProof, TreeError, VerifierKey, decode_bundle, decode_hashes, prove_inclusion,
};
use crate::ports::{LogFiles, LogFilesError};

/// Why no proof could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The log has no entry of this index.
    #[error("no such entry in the log")]
    NoEntry,
    /// The log has no checkpoint, or one that its key does not vouch for.
    #[error("the log has no valid checkpoint")]
    Checkpoint {
        /// Why, unless there is none.
        #[source]
        source: Option<CheckpointError>,
    },
    /// A file is missing or cannot be read.
    #[error("file {file} of the log is missing or cannot be read")]
    File {
        /// The file.
        file: LogFile,
        /// Why, unless it is missing.
        #[source]
        source: Option<FileTilesError>,
    },
}

impl ProveError {
    pub(super) fn of_checkpoint(source: LogFilesError) -> Self {
        let file = LogFile::Checkpoint;
        Self::File {
            file,
            source: Some(FileTilesError::Files(source)),
        }
    }
}

/// Why a tile's file gives no hashes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileTilesError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Files(#[source] LogFilesError),
    /// It is malformed.
    #[error("the file is malformed")]
    Malformed(#[source] BadTile),
}

/// The hash tiles of a log's files, for making proofs.
#[derive(Clone, Copy, Debug)]
pub struct FileTiles<'a>(pub &'a dyn LogFiles);

impl TileReader for FileTiles<'_> {
    type Error = FileTilesError;

    fn tile(&self, path: TilePath) -> Result<Option<Vec<Hash>>, FileTilesError> {
        let bytes = super::verify::read_required(self.0, path).map_err(FileTilesError::Files)?;
        bytes
            .map(|bytes| decode_hashes(&bytes, path.width()).map_err(FileTilesError::Malformed))
            .transpose()
    }
}

/// Makes the proof of an entry under the log's published checkpoint; gives the entry too.
///
/// # Errors
///
/// [`ProveError`].
pub fn prove_entry(
    files: &dyn LogFiles,
    log: &VerifierKey,
    index: u64,
) -> Result<(TlogProof, Vec<u8>), ProveError> {
    let file_error = |file| {
        move |source| ProveError::File {
            file,
            source: Some(source),
        }
    };
    let checkpoint = files
        .read(LogFile::Checkpoint, Note::MAX_BYTES)
        .map_err(ProveError::of_checkpoint)?
        .ok_or(ProveError::Checkpoint { source: None })?;
    let opened =
        Checkpoint::open(&checkpoint, log, &[]).map_err(|error| ProveError::Checkpoint {
            source: Some(error),
        })?;
    let size = opened.checkpoint.size();
    let path = prove_inclusion(&FileTiles(files), index, size).map_err(|error| match error {
        TreeError::Range => ProveError::NoEntry,
        TreeError::Tile { path } => ProveError::File {
            file: LogFile::Tile(path),
            source: None,
        },
        TreeError::Read { path, source } => ProveError::File {
            file: LogFile::Tile(path),
            source: Some(source),
        },
    })?;
    let bundle = index / TILE_WIDTH;
    let width = (size - bundle * TILE_WIDTH).min(TILE_WIDTH);
    let place = TilePath::of_width(TileKind::Entries, bundle, width).ok_or(ProveError::NoEntry)?;
    let file = LogFile::Tile(place);
    let bytes = super::verify::read_required(files, place)
        .map_err(FileTilesError::Files)
        .map_err(file_error(file))?
        .ok_or(ProveError::File { file, source: None })?;
    let entries = decode_bundle(&bytes, place.width())
        .map_err(FileTilesError::Malformed)
        .map_err(file_error(file))?;
    let entry = usize::try_from(index % TILE_WIDTH)
        .ok()
        .and_then(|at| entries.get(at))
        .ok_or(ProveError::NoEntry)?;
    let proof = TlogProof {
        index,
        path,
        extra: None,
        checkpoint,
    };
    Ok((proof, entry.to_vec()))
}
