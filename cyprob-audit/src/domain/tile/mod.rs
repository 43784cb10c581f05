//! Tiles and entry bundles (C2SP tlog-tiles): paths, bytes, and which of them a log has.

mod bytes;
mod path;
mod plan;
mod tail;
#[cfg(test)]
mod tests;

pub use bytes::{
    BadTile, MAX_BUNDLE_BYTES, MAX_ENTRY_BYTES, decode_bundle, decode_hashes, encode_bundle,
    encode_hashes,
};
pub use path::{TileKind, TilePath, TilePathError};
pub use plan::tiles_between;
pub use tail::{TileFile, TreeTail};

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;
