//! Uses of a token that its holder narrowed to a number of them.

use std::fmt;

use sha2::{Digest, Sha256};

use super::TokenId;

/// What is hashed before a token's id and a word, so that no other digest is one of these.
const PREFIX: &[u8] = b"cyprob one use v1\0";

/// The same before a token's id alone.
const TOKEN_PREFIX: &[u8] = b"cyprob used token v1\0";

/// One use of one token, as stores know it: a digest of the token's id and the use's word, which tells neither.
///
/// Tokens that were narrowed from one another share their id, so a use of one
/// is a use of all that have its word.
///
/// # Examples
///
/// ```
/// use cyprob_core::domain::{Id, Timestamp, TokenId, UseId};
///
/// let [one, other] = [1, 2].map(|n| TokenId::from_random(Timestamp::UNIX_EPOCH, [n; 10]));
/// assert_eq!(UseId::of(one, "word"), UseId::of(one, "word"));
/// assert_ne!(UseId::of(one, "word"), UseId::of(other, "word"));
/// assert_ne!(UseId::of(one, "word"), UseId::of(one, "words"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UseId([u8; 32]);

impl UseId {
    /// The use of a token by a word.
    #[must_use]
    pub fn of(token: TokenId, word: &str) -> Self {
        // INVARIANT: all before the word is of one length, so no two pairs hash the same bytes
        let digest = Sha256::new_with_prefix(PREFIX)
            .chain_update(token.as_bytes())
            .chain_update(word.as_bytes());
        Self(digest.finalize().into())
    }

    /// The stored bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for UseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A token that has uses, as stores know it: a digest of its id, which does not tell it.
///
/// It is one for all that were narrowed from one token, so their uses are
/// counted together.
///
/// # Examples
///
/// ```
/// use cyprob_core::domain::{Id, Timestamp, TokenId, UsedToken};
///
/// let [one, other] = [1, 2].map(|n| TokenId::from_random(Timestamp::UNIX_EPOCH, [n; 10]));
/// assert_eq!(UsedToken::of(one), UsedToken::of(one));
/// assert_ne!(UsedToken::of(one), UsedToken::of(other));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsedToken([u8; 32]);

impl UsedToken {
    /// The token of an id.
    #[must_use]
    pub fn of(token: TokenId) -> Self {
        let digest = Sha256::new_with_prefix(TOKEN_PREFIX).chain_update(token.as_bytes());
        Self(digest.finalize().into())
    }

    /// The stored bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for UsedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
