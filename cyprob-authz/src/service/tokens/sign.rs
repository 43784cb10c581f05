//! Signing blocks.

use cyprob_core::ports::{Entropy, EntropyExt as _};
use ed25519_dalek::Signer as _;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::text;
use super::writer::Writer;
use crate::ports::{SignError, TokenSigner};

/// Ed25519, in Biscuit's schema.
const ALGORITHM: u64 = 0;
/// What a token has beside its block: keys, two signatures, and their places.
const BESIDE_BLOCK: usize = 256;

/// The text of a token of one block, with a next key from the port.
///
/// By the next key a holder narrows the token; with `seal` it is gone and nobody can.
/// The signatures are of Biscuit's first version: over the block and the next key, and
/// of a sealed token over that and the block's signature.
pub(super) async fn token(
    block: &[u8],
    key: &dyn TokenSigner,
    entropy: &dyn Entropy,
    seal: bool,
) -> Result<SecretString, SignError> {
    let seed = Zeroizing::new(entropy.bytes::<32>());
    let next = ed25519_dalek::SigningKey::from_bytes(&seed);
    let public = next.verifying_key().to_bytes();
    let mut signed = Vec::with_capacity(block.len() + BESIDE_BLOCK);
    signed.extend_from_slice(block);
    signed.extend_from_slice(&(ALGORITHM as u32).to_le_bytes());
    signed.extend_from_slice(&public);
    let signature = key.sign(&signed).await?;
    // INVARIANT: it never grows beyond this, so no copy of the seed is left behind
    let mut token = Writer::with_capacity(block.len() + BESIDE_BLOCK);
    token.number(1, key.id().get().into());
    token.message(2, |authority| {
        authority.bytes(1, block);
        authority.message(2, |next| {
            next.number(1, ALGORITHM);
            next.bytes(2, &public);
        });
        authority.bytes(3, &signature);
    });
    token.message(4, |proof| {
        if seal {
            signed.extend_from_slice(&signature);
            proof.bytes(2, &next.sign(&signed).to_bytes());
        } else {
            proof.bytes(1, seed.as_slice());
        }
    });
    let token = Zeroizing::new(token.into_bytes());
    Ok(SecretString::from(text::encode(&token)))
}
