//! The end of a log from which it grows: right edge and last bundle.

use super::bytes::{BadTile, decode_bundle, encode_bundle, encode_hashes};
use super::{TILE_WIDTH, TileKind, TilePath};
use crate::domain::{Hash, RightEdge};

/// A tile or bundle with its bytes, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileFile {
    /// Its place.
    pub path: TilePath,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The end of a log: takes entries, and gives the files that they change.
///
/// Memory is bounded by one bundle and the partial tiles, whatever the log's size.
#[derive(Clone, Debug, Default)]
pub struct TreeTail {
    edge: RightEdge,
    /// The entries of the partial bundle, encoded.
    bundle: Vec<u8>,
    /// The size up to which files were given out.
    given: u64,
}

impl TreeTail {
    /// The end of an empty log.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The end of a stored log: its edge, and the bytes of its partial bundle (none at a multiple of 256).
    ///
    /// # Errors
    ///
    /// [`BadTile`] if the bundle does not hold as many entries as the size wants.
    pub fn resume(edge: RightEdge, bundle: Vec<u8>) -> Result<Self, BadTile> {
        let width = u16::try_from(edge.size() % TILE_WIDTH).unwrap_or(0);
        decode_bundle(&bundle, width)?;
        Ok(Self {
            given: edge.size(),
            edge,
            bundle,
        })
    }

    /// The number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The right edge of its tree.
    #[must_use]
    pub const fn edge(&self) -> &RightEdge {
        &self.edge
    }

    /// The root over them.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.edge.root()
    }

    /// Appends entries and gives the files that a checkpoint of the new size needs.
    ///
    /// An empty batch gives no files.
    ///
    /// # Errors
    ///
    /// [`BadTile::Entry`] with the place in the batch of an entry that is too
    /// long, or that does not fit in the tree; then nothing has changed.
    pub fn append(&mut self, entries: &[&[u8]]) -> Result<Vec<TileFile>, BadTile> {
        let mut next = self.clone();
        let mut files = Vec::new();
        for (at, entry) in (0..).zip(entries) {
            next.bundle
                .extend(encode_bundle([*entry]).map_err(|_| BadTile::Entry { at })?);
            next.edge
                .push(Hash::of_leaf(entry), |path, hashes| {
                    files.push(TileFile {
                        path,
                        bytes: encode_hashes(hashes),
                    });
                })
                .map_err(|_| BadTile::Entry { at })?;
            if next.size().is_multiple_of(TILE_WIDTH) {
                files.push(TileFile {
                    path: TilePath::full(TileKind::Entries, next.size() / TILE_WIDTH - 1),
                    bytes: std::mem::take(&mut next.bundle),
                });
            }
        }
        if next.size() > next.given {
            files.extend(next.partial_files());
        }
        next.given = next.size();
        *self = next;
        Ok(files)
    }

    /// The partial files that the size requires and that the last append changed.
    fn partial_files(&self) -> Vec<TileFile> {
        super::tiles_between(self.given, self.size())
            .filter(|path| !path.is_full())
            .map(|path| TileFile {
                bytes: match path.kind() {
                    TileKind::Entries => self.bundle.clone(),
                    TileKind::Hashes { level } => encode_hashes(self.edge.row(level)),
                },
                path,
            })
            .collect()
    }
}
