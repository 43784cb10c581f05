//! The bytes of tiles and bundles.

use super::TILE_WIDTH;
use crate::domain::Hash;

/// The longest entry, in bytes: its length is written in two.
pub const MAX_ENTRY_BYTES: usize = 65_535;

/// The longest bundle, in bytes.
pub const MAX_BUNDLE_BYTES: usize = (2 + MAX_ENTRY_BYTES) * TILE_WIDTH as usize;

/// The bytes are not a tile or bundle of that width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTile {
    /// Bytes are missing.
    #[error("the file ends early, at entry {at} of it")]
    Short {
        /// How many hashes or entries came whole.
        at: u64,
    },
    /// There are bytes after the last entry.
    #[error("the file goes on after its last entry")]
    Long,
    /// An entry is longer than 65,535 bytes.
    #[error("entry {at} is longer than an entry may be")]
    Entry {
        /// Its place.
        at: u64,
    },
}

/// The bytes of a hash tile.
#[must_use]
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Reads a hash tile of exactly this width.
///
/// # Errors
///
/// [`BadTile`] if the length is another.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, BadTile> {
    let (hashes, rest) = bytes.as_chunks::<{ Hash::LEN }>();
    let at = u64::try_from(hashes.len()).unwrap_or(u64::MAX);
    if at < u64::from(width) {
        return Err(BadTile::Short { at });
    }
    if at > u64::from(width) || !rest.is_empty() {
        return Err(BadTile::Long);
    }
    Ok(hashes.iter().copied().map(Hash::from_bytes).collect())
}

/// The bytes of an entry bundle: each entry after its length in two bytes, big-endian.
///
/// # Errors
///
/// [`BadTile::Entry`] if one is longer than 65,535 bytes.
pub fn encode_bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, BadTile> {
    let mut bytes = Vec::new();
    for (at, entry) in (0..).zip(entries) {
        let length = u16::try_from(entry.len()).map_err(|_| BadTile::Entry { at })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// Reads an entry bundle of exactly this many entries.
///
/// # Errors
///
/// [`BadTile`] if there are fewer, or bytes are left over.
pub fn decode_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BadTile> {
    let mut entries = Vec::with_capacity(usize::from(width));
    let mut rest = bytes;
    for at in 0..u64::from(width) {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(BadTile::Short { at })?;
        let (entry, after) = after
            .split_at_checked(usize::from(u16::from_be_bytes(*length)))
            .ok_or(BadTile::Short { at })?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() {
        Ok(entries)
    } else {
        Err(BadTile::Long)
    }
}
