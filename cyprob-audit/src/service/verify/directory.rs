//! Verifying a whole log from its files, entry by entry.

use super::extras;
use super::options::{Options, Progress};
use super::proof::{judged, refused};
use super::report::{Reason, Reasons, Report, Verdict, VerifyError};
use crate::domain::{
    Checkpoint, Hash, LogFile, Note, RightEdge, TILE_WIDTH, TileKind, TilePath, decode_bundle,
    decode_hashes,
};
use crate::ports::{LogFiles, LogFilesError};

/// Judges a whole log.
///
/// Every entry is hashed, every tile of every level compared with what the
/// entries give, and the root with the signed one; then the directory is
/// walked for what does not belong. Memory stays below 40 MiB whatever the
/// files claim, the time is that of reading them once. `progress` is called
/// after each bundle.
///
/// A log that is written meanwhile verifies too: a larger checkpoint that
/// came in between covers the files that came with it.
///
/// # Errors
///
/// [`VerifyError::Files`] if the files cannot be read for a reason that says
/// nothing of the log, such as a missing permission.
pub fn verify_log(
    files: &dyn LogFiles,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, VerifyError> {
    let bytes = match files.read(LogFile::Checkpoint, Note::MAX_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(refused(options, Reason::NoCheckpoint)),
        Err(LogFilesError::NotAFile | LogFilesError::TooLong) => {
            return Ok(refused(options, Reason::CheckpointFile));
        }
        Err(source) => return Err(VerifyError::Files { source }),
    };
    let opened = match Checkpoint::open(&bytes, &options.log, &options.witnesses) {
        Ok(opened) => opened,
        Err(error) => return Ok(refused(options, Reason::Checkpoint(error))),
    };
    let mut scan = Scan::new(files, opened.checkpoint.size());
    scan.run(progress)?;
    if scan.known {
        let (found, signed) = (scan.edge.root(), *opened.checkpoint.root());
        if found != signed {
            scan.integrity.add(Reason::Root {
                size: scan.size,
                found,
                signed,
            });
        }
    }
    extras::judge(
        files,
        options,
        scan.size,
        &mut scan.integrity,
        &mut scan.completeness,
    )?;
    let mut report = judged(options, &opened);
    report.integrity = match scan.integrity.verdict() {
        // Without some of the hashes the root is unknown: what is there may
        // be sound, but nothing ties it to the checkpoint.
        Verdict::Held if !scan.known => Verdict::NotJudged,
        verdict => verdict,
    };
    report.completeness = scan.completeness.verdict();
    Ok(report)
}

/// What became of reading one file.
enum Content {
    Bytes(Vec<u8>),
    Missing,
    Bad,
}

/// One pass over the log in the order of its entries.
struct Scan<'a> {
    files: &'a dyn LogFiles,
    size: u64,
    edge: RightEdge,
    integrity: Reasons,
    completeness: Reasons,
    /// Whether the edge knows every leaf up to the size.
    known: bool,
}

impl<'a> Scan<'a> {
    const fn new(files: &'a dyn LogFiles, size: u64) -> Self {
        Self {
            files,
            size,
            edge: RightEdge::empty(),
            integrity: Reasons::none(),
            completeness: Reasons::none(),
            known: true,
        }
    }

    fn run(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), VerifyError> {
        for index in 0..self.size.div_ceil(TILE_WIDTH) {
            let width = (self.size - index * TILE_WIDTH).min(TILE_WIDTH);
            let Some(leaves) = self.leaves(index, width)? else {
                self.known = false;
                return Ok(());
            };
            let mut full = Vec::new();
            for leaf in leaves {
                // The size was checked when the checkpoint was read.
                let pushed = self
                    .edge
                    .push(leaf, |path, hashes| full.push((path, hashes.to_vec())));
                self.known &= pushed.is_ok();
            }
            for (path, hashes) in full {
                self.compare(path, &hashes)?;
            }
            progress(Progress {
                entries: index * TILE_WIDTH + width,
                of: self.size,
            });
            if self.integrity.is_full() || self.completeness.is_full() {
                self.known = false;
                return Ok(());
            }
        }
        for level in 1..8 {
            let row = self.edge.row(level).to_vec();
            let index = (self.size >> (8 * u32::from(level))) / TILE_WIDTH;
            let width = u64::try_from(row.len()).unwrap_or(0);
            if let Some(path) = TilePath::of_width(TileKind::Hashes { level }, index, width) {
                self.compare(path, &row)?;
            }
        }
        Ok(())
    }

    /// The leaf hashes of one bundle's entries; `None` if neither bundle nor tile gives them.
    ///
    /// Where both are there and differ, the tile's are taken: if they lead to
    /// the signed root, it is the bundle that was altered.
    fn leaves(&mut self, index: u64, width: u64) -> Result<Option<Vec<Hash>>, VerifyError> {
        let place = |kind| TilePath::of_width(kind, index, width);
        let (Some(bundle), Some(tile)) = (
            place(TileKind::Entries),
            place(TileKind::Hashes { level: 0 }),
        ) else {
            return Ok(None);
        };
        let entries = self.entries(bundle)?;
        let hashes = self.hashes(tile)?;
        if let (Some(entries), Some(hashes)) = (&entries, &hashes) {
            let first = index * TILE_WIDTH;
            for (at, (entry, hash)) in (first..).zip(entries.iter().zip(hashes)) {
                if entry != hash {
                    self.integrity.add(Reason::Entry {
                        file: LogFile::Tile(bundle),
                        tile: LogFile::Tile(tile),
                        index: at,
                    });
                }
            }
        }
        Ok(hashes.or(entries))
    }

    /// The leaf hashes that a bundle's entries give.
    fn entries(&mut self, path: TilePath) -> Result<Option<Vec<Hash>>, VerifyError> {
        let Content::Bytes(bytes) = self.tile(path)? else {
            return Ok(None);
        };
        match decode_bundle(&bytes, path.width()) {
            Ok(entries) => Ok(Some(entries.into_iter().map(Hash::of_leaf).collect())),
            Err(what) => {
                self.integrity.add(Reason::Malformed {
                    file: LogFile::Tile(path),
                    what,
                });
                Ok(None)
            }
        }
    }

    /// The hashes that a tile holds.
    fn hashes(&mut self, path: TilePath) -> Result<Option<Vec<Hash>>, VerifyError> {
        let Content::Bytes(bytes) = self.tile(path)? else {
            return Ok(None);
        };
        match decode_hashes(&bytes, path.width()) {
            Ok(hashes) => Ok(Some(hashes)),
            Err(what) => {
                self.integrity.add(Reason::Malformed {
                    file: LogFile::Tile(path),
                    what,
                });
                Ok(None)
            }
        }
    }

    /// Compares a stored tile with the hashes that the level below gives.
    ///
    /// Level 0 was read when its hashes were taken; comparing it again would
    /// compare it with itself.
    fn compare(&mut self, path: TilePath, computed: &[Hash]) -> Result<(), VerifyError> {
        let TileKind::Hashes { level } = path.kind() else {
            return Ok(());
        };
        if level == 0 {
            return Ok(());
        }
        let Some(stored) = self.hashes(path)? else {
            return Ok(());
        };
        let span = 8 * u32::from(level);
        for (at, (stored, computed)) in (0..).zip(stored.iter().zip(computed)) {
            if stored != computed {
                self.integrity.add(Reason::Node {
                    file: LogFile::Tile(path),
                    index: (path.index() * TILE_WIDTH + at) << span,
                });
            }
        }
        Ok(())
    }

    /// Reads a file that the size requires.
    fn tile(&mut self, path: TilePath) -> Result<Content, VerifyError> {
        match read_required(self.files, path) {
            Ok(Some(bytes)) => Ok(Content::Bytes(bytes)),
            Ok(None) => {
                let (first, last) = covered(path, self.size);
                self.completeness.add(Reason::Missing {
                    file: LogFile::Tile(path),
                    first,
                    last,
                });
                Ok(Content::Missing)
            }
            Err(LogFilesError::NotAFile | LogFilesError::TooLong) => {
                self.integrity.add(Reason::NotAFile {
                    file: LogFile::Tile(path),
                });
                Ok(Content::Bad)
            }
            Err(source) => Err(VerifyError::Files { source }),
        }
    }
}

/// The bytes of a tile or bundle: its own file, else the beginning of the full one
/// that took its place since.
pub(in crate::service) fn read_required(
    files: &dyn LogFiles,
    path: TilePath,
) -> Result<Option<Vec<u8>>, LogFilesError> {
    let own = files.read(LogFile::Tile(path), path.max_bytes())?;
    if own.is_some() || path.is_full() {
        return Ok(own);
    }
    let full = path.to_full();
    let bytes = files.read(LogFile::Tile(full), full.max_bytes())?;
    Ok(bytes.and_then(|bytes| {
        let end = beginning(&bytes, path)?;
        bytes.get(..end).map(<[u8]>::to_vec)
    }))
}

/// Where the first entries or hashes of a wider file end.
pub(super) fn beginning(bytes: &[u8], path: TilePath) -> Option<usize> {
    match path.kind() {
        TileKind::Hashes { .. } => Some(usize::from(path.width()) * Hash::LEN),
        TileKind::Entries => {
            let mut end = 0_usize;
            for _ in 0..path.width() {
                let length = bytes.get(end..)?.first_chunk::<2>()?;
                end += 2 + usize::from(u16::from_be_bytes(*length));
            }
            Some(end)
        }
    }
}

/// The first and the last entry below a tile, the last within the size.
fn covered(path: TilePath, size: u64) -> (u64, u64) {
    let span = match path.kind() {
        TileKind::Entries => 0,
        TileKind::Hashes { level } => 8 * u32::from(level),
    };
    let start = path.index() * TILE_WIDTH;
    let end = (start + u64::from(path.width())) << span;
    (start << span, end.min(size).saturating_sub(1))
}
