//! Reading nodes of the tree from stored tiles.

use std::collections::BTreeMap;
use std::error::Error;

use super::MAX_TREE_SIZE;
use crate::domain::Hash;
use crate::domain::tile::{TILE_WIDTH, TileKind, TilePath};

/// Gives stored hash tiles; pure code asks it instead of doing I/O.
///
/// To read from a store that answers later, ask [`super::inclusion_tiles`] or
/// its likes which tiles a proof takes, fetch them, and give a [`TileSet`].
pub trait TileReader {
    /// Why a tile cannot be read.
    type Error: Error + 'static;

    /// The hashes of a tile; `None` if it is not stored.
    ///
    /// # Errors
    ///
    /// Whatever keeps the tile from being read.
    fn tile(&self, path: TilePath) -> Result<Option<Vec<Hash>>, Self::Error>;
}

/// Why the tree has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError<E: Error + 'static> {
    /// The index or size does not exist in the tree, or is too large.
    #[error("no such index or size in the tree")]
    Range,
    /// A tile is not stored, or is stored with another width.
    #[error("tile {path} is missing or has another width")]
    Tile {
        /// The tile.
        path: TilePath,
    },
    /// A tile cannot be read.
    #[error("tile {path} cannot be read")]
    Read {
        /// The tile.
        path: TilePath,
        /// Why.
        #[source]
        source: E,
    },
}

/// Tiles in memory.
#[derive(Clone, Debug, Default)]
pub struct TileSet(BTreeMap<TilePath, Vec<Hash>>);

impl TileSet {
    /// Puts a tile in, in place of one of the same path.
    pub fn insert(&mut self, path: TilePath, hashes: Vec<Hash>) {
        self.0.insert(path, hashes);
    }
}

impl FromIterator<(TilePath, Vec<Hash>)> for TileSet {
    fn from_iter<I: IntoIterator<Item = (TilePath, Vec<Hash>)>>(tiles: I) -> Self {
        Self(tiles.into_iter().collect())
    }
}

impl TileReader for TileSet {
    type Error = std::convert::Infallible;

    fn tile(&self, path: TilePath) -> Result<Option<Vec<Hash>>, Self::Error> {
        Ok(self.0.get(&path).cloned())
    }
}

/// A tile of exactly the width its path says.
pub(super) fn tile<R: TileReader>(
    reader: &R,
    path: TilePath,
) -> Result<Vec<Hash>, TreeError<R::Error>> {
    let hashes = reader
        .tile(path)
        .map_err(|source| TreeError::Read { path, source })?
        .ok_or(TreeError::Tile { path })?;
    if hashes.len() == usize::from(path.width()) {
        Ok(hashes)
    } else {
        Err(TreeError::Tile { path })
    }
}

/// The hash over leaves `start..end` of a tree of `size` leaves, `start` on a
/// boundary of the power of two at or above the length.
pub(super) fn subtree<R: TileReader>(
    reader: &R,
    size: u64,
    start: u64,
    end: u64,
) -> Result<Hash, TreeError<R::Error>> {
    let length = end.checked_sub(start).ok_or(TreeError::Range)?;
    if length == 0 || end > size || size > MAX_TREE_SIZE {
        return Err(TreeError::Range);
    }
    if length.is_power_of_two() && start.is_multiple_of(length) {
        return perfect(reader, size, length.trailing_zeros(), start);
    }
    let middle = start + split(length);
    let left = subtree(reader, size, start, middle)?;
    let right = subtree(reader, size, middle, end)?;
    Ok(Hash::of_node(&left, &right))
}

/// The largest power of two below a length of at least two (RFC 6962's k).
pub(super) const fn split(length: u64) -> u64 {
    let k = 1 << (63 - length.leading_zeros());
    if k == length { k / 2 } else { k }
}

/// The hash of the perfect subtree of 2^height leaves that begins at `start`.
fn perfect<R: TileReader>(
    reader: &R,
    size: u64,
    height: u32,
    start: u64,
) -> Result<Hash, TreeError<R::Error>> {
    let (level, rest) = (height / 8, height % 8);
    let first = start >> (8 * level);
    let index = first / TILE_WIDTH;
    let width = (size >> (8 * level))
        .saturating_sub(index * TILE_WIDTH)
        .min(TILE_WIDTH);
    let level = u8::try_from(level).map_err(|_| TreeError::Range)?;
    let path =
        TilePath::of_width(TileKind::Hashes { level }, index, width).ok_or(TreeError::Range)?;
    let hashes = tile(reader, path)?;
    let from = usize::try_from(first % TILE_WIDTH).map_err(|_| TreeError::Range)?;
    hashes
        .get(from..from + (1 << rest))
        .and_then(Hash::of_perfect)
        .ok_or(TreeError::Tile { path })
}
