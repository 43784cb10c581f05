//! Single-use tokens that people carry: invitations and the bootstrap token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::domain::TokenDigest;
use crate::ports::{Entropy, EntropyExt};

/// Draws 256 random bits and writes them with a prefix that secret scanners can find.
pub(super) fn draw(entropy: &dyn Entropy, prefix: &str) -> (SecretString, TokenDigest) {
    let bytes = Zeroizing::new(entropy.bytes::<32>());
    let token: SecretString = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(*bytes)).into();
    let digest = TokenDigest::of(token.expose_secret());
    (token, digest)
}
