//! The growing right edge of a tree: all that appending needs.

use super::{MAX_TREE_SIZE, TileReader, TreeError};
use crate::domain::Hash;
use crate::domain::tile::{TILE_WIDTH, TileKind, TilePath};

/// The tree has the largest size that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tree is full")]
pub struct TreeFull;

/// The hashes of a tree's partial tiles, one row a level.
///
/// At most eight rows of 255 hashes whatever the tree's size (64 KiB), and
/// they determine the root and take further leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RightEdge {
    size: u64,
    rows: Vec<Vec<Hash>>,
}

impl RightEdge {
    /// The edge of the empty tree.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            size: 0,
            rows: Vec::new(),
        }
    }

    /// Reads the edge of a tree of `size` leaves from its partial tiles.
    ///
    /// # Errors
    ///
    /// [`TreeError`] if the size is too large or a tile is missing or has another width.
    pub fn read<R: TileReader>(reader: &R, size: u64) -> Result<Self, TreeError<R::Error>> {
        if size > MAX_TREE_SIZE {
            return Err(TreeError::Range);
        }
        let mut rows = Vec::new();
        let mut left = size;
        let mut level = 0;
        while left > 0 {
            let width = left % TILE_WIDTH;
            let index = left / TILE_WIDTH;
            if width == 0 {
                rows.push(Vec::new());
            } else {
                let path = TilePath::partial(TileKind::Hashes { level }, index, width);
                rows.push(super::reader::tile(reader, path)?);
            }
            left = index;
            level += 1;
        }
        Ok(Self { size, rows })
    }

    /// The hashes of all rows, lowest row first, as bytes to be stored beside the size.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let hashes = self.rows.iter().flatten();
        hashes.flat_map(|hash| *hash.as_bytes()).collect()
    }

    /// Reads what [`RightEdge::to_bytes`] gave for a tree of this size; `None` if the length does not fit the size.
    #[must_use]
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<{ Hash::LEN }>();
        let mut hashes = hashes.iter().copied().map(Hash::from_bytes);
        let mut rows = Vec::new();
        let mut left = size;
        while left > 0 {
            let width = usize::try_from(left % TILE_WIDTH).ok()?;
            let row: Vec<Hash> = hashes.by_ref().take(width).collect();
            if row.len() != width {
                return None;
            }
            rows.push(row);
            left /= TILE_WIDTH;
        }
        let whole = rest.is_empty() && hashes.next().is_none() && size <= MAX_TREE_SIZE;
        whole.then_some(Self { size, rows })
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of the partial tile of a level; empty where there is none.
    #[must_use]
    pub fn row(&self, level: u8) -> &[Hash] {
        self.rows.get(usize::from(level)).map_or(&[], Vec::as_slice)
    }

    /// Appends a leaf; `full` is called for each tile that it fills, lowest first.
    ///
    /// # Errors
    ///
    /// [`TreeFull`] at [`MAX_TREE_SIZE`] leaves; then nothing has changed.
    pub fn push(
        &mut self,
        leaf: Hash,
        mut full: impl FnMut(TilePath, &[Hash]),
    ) -> Result<(), TreeFull> {
        if self.size >= MAX_TREE_SIZE {
            return Err(TreeFull);
        }
        self.size += 1;
        let mut hash = leaf;
        let mut count = self.size;
        for level in 0_u8..8 {
            let at = usize::from(level);
            if self.rows.len() == at {
                self.rows.push(Vec::new());
            }
            let Some(row) = self.rows.get_mut(at) else {
                break;
            };
            row.push(hash);
            let Some(root) = (count.is_multiple_of(TILE_WIDTH))
                .then(|| Hash::of_perfect(row))
                .flatten()
            else {
                break;
            };
            count /= TILE_WIDTH;
            full(
                TilePath::full(TileKind::Hashes { level }, count - 1),
                row.as_slice(),
            );
            row.clear();
            hash = root;
        }
        Ok(())
    }

    /// The root (RFC 6962 section 2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for row in &self.rows {
            let mut rest = row.as_slice();
            // Perfect subtrees stand in falling size from the left, so peel
            // them from the right: the lowest set bit of the row's length.
            while !rest.is_empty() {
                let take = 1 << rest.len().trailing_zeros();
                let (before, last) = rest.split_at(rest.len() - take);
                rest = before;
                let Some(subtree) = Hash::of_perfect(last) else {
                    break;
                };
                root = Some(match root {
                    None => subtree,
                    Some(right) => Hash::of_node(&subtree, &right),
                });
            }
        }
        root.unwrap_or_else(Hash::of_empty_tree)
    }
}
