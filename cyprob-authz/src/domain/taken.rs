//! A use of a token that its holder narrowed to a number of them.

use cyprob_core::domain::TokenId;

/// The proof that a use of one token was taken, for one request.
///
/// The request check alone makes one, once the store of spent uses gave it; so
/// where there is no such store, no token of this kind is permitted anything.
#[derive(Debug)]
pub struct Taken {
    token: TokenId,
    word: String,
}

impl Taken {
    pub(crate) fn new(token: TokenId, word: &str) -> Self {
        Self {
            token,
            word: word.to_owned(),
        }
    }

    /// The word of the use, which the token's `nonce` checks are held to.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Whether it is one of the token's uses that are left by these words.
    pub(super) fn is_of(&self, token: TokenId, words: &[String]) -> bool {
        self.token == token && words.contains(&self.word)
    }
}
