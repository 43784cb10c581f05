//! The RFC 6962 tree, read from tiles of 256 hashes and grown at its right edge.

mod edge;
mod prove;
mod reader;
#[cfg(test)]
mod tests;
mod verify;

pub use edge::{RightEdge, TreeFull};
pub use prove::{
    consistency_tiles, inclusion_tiles, prove_consistency, prove_inclusion, root_at, root_tiles,
};
pub use reader::{TileReader, TileSet, TreeError};
pub use verify::{ConsistencyError, InclusionError, verify_consistency, verify_inclusion};

/// The largest number of leaves: 2^63 - 1, so that a size fits every peer's signed integer.
pub const MAX_TREE_SIZE: u64 = i64::MAX as u64;
