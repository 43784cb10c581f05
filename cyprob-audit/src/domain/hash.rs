//! Hashes of the tree (RFC 6962 section 2.1, SHA-256).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The text is not the canonical base64 of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the base64 of a SHA-256 hash")]
pub struct HashError;

/// One SHA-256 hash of the tree: of a leaf, of a node or of the root.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Self::LEN]);

impl Hash {
    /// The length of a hash in bytes.
    pub const LEN: usize = 32;

    /// Takes 32 bytes as a hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The root of the empty tree: the hash of nothing.
    #[must_use]
    pub fn of_empty_tree() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// The hash of a leaf: SHA-256 of a zero byte and the entry.
    #[must_use]
    pub fn of_leaf(entry: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(entry);
        Self(hasher.finalize().into())
    }

    /// The hash of an inner node: SHA-256 of a one byte and both children.
    #[must_use]
    pub fn of_node(left: &Self, right: &Self) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([1]);
        hasher.update(left.0);
        hasher.update(right.0);
        Self(hasher.finalize().into())
    }

    /// The root of a perfect tree over these hashes; `None` unless their number is a power of two.
    pub(crate) fn of_perfect(hashes: &[Self]) -> Option<Self> {
        if !hashes.len().is_power_of_two() {
            return None;
        }
        let mut row = hashes.to_vec();
        while row.len() > 1 {
            row = row
                .chunks_exact(2)
                .filter_map(|pair| match pair {
                    [left, right] => Some(Self::of_node(left, right)),
                    _ => None,
                })
                .collect();
        }
        row.first().copied()
    }

    /// Reads the base64 text of a hash: 44 characters, canonical.
    ///
    /// # Errors
    ///
    /// [`HashError`] for any other text, also for another spelling of the same bytes.
    pub fn from_base64(text: &str) -> Result<Self, HashError> {
        if text.len() != 44 {
            return Err(HashError);
        }
        let bytes = STANDARD.decode(text).map_err(|_| HashError)?;
        bytes.try_into().map(Self).map_err(|_| HashError)
    }
}

/// The base64 text that checkpoints and proofs carry.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_root_is_rfc_6962s() {
        assert_eq!(
            Hash::of_empty_tree().to_string(),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }

    #[test]
    fn only_the_canonical_text_is_read() {
        let text = Hash::of_leaf(b"x").to_string();
        assert_eq!(Hash::from_base64(&text).unwrap(), Hash::of_leaf(b"x"));
        // The last character before the padding has two unused bits: setting one is another
        // spelling of the same bytes.
        let mut other = text.clone().into_bytes();
        other[42] += 1;
        assert!(Hash::from_base64(std::str::from_utf8(&other).unwrap()).is_err());
        assert!(Hash::from_base64(text.trim_end_matches('=')).is_err());
        assert!(Hash::from_base64(&format!("{text}\n")).is_err());
    }

    #[test]
    fn a_perfect_tree_needs_a_power_of_two() {
        let leaf = Hash::of_leaf(b"");
        assert_eq!(Hash::of_perfect(&[]), None);
        assert_eq!(Hash::of_perfect(&[leaf; 3]), None);
        let pair = Hash::of_node(&leaf, &leaf);
        assert_eq!(
            Hash::of_perfect(&[leaf; 4]),
            Some(Hash::of_node(&pair, &pair))
        );
    }
}
