//! Which tiles and bundles a log of some size has.

use super::{TILE_WIDTH, TileKind, TilePath};

/// The tiles and bundles that a log of `new` entries has and one of `old` entries had not.
///
/// Level by level from the entries up, each level in rising order; full ones,
/// and the partial one that the size `new` requires. The iterator is lazy: a
/// huge size costs nothing until it is walked.
pub fn tiles_between(old: u64, new: u64) -> impl Iterator<Item = TilePath> {
    let kinds = std::iter::once((TileKind::Entries, 0))
        .chain((0_u8..8).map(|level| (TileKind::Hashes { level }, u32::from(level))));
    kinds.flat_map(move |(kind, level)| {
        let had = old >> (8 * level);
        let has = new >> (8 * level);
        let first = had / TILE_WIDTH;
        let end = if has > had {
            has.div_ceil(TILE_WIDTH)
        } else {
            first
        };
        (first..end).filter_map(move |index| {
            TilePath::of_width(kind, index, (has - index * TILE_WIDTH).min(TILE_WIDTH))
        })
    })
}
