//! The bare signatures of a token: what any verification of it costs at least.
//!
//! Each block's signature is verified as `biscuit-auth` and our check verify it
//! (strictly, over block, algorithm and next key), with the keys decoded
//! beforehand and nothing read.

use biscuit_auth::format::schema;
use ed25519_dalek::{Signature, VerifyingKey};
use prost::Message as _;

/// The signatures of one token.
#[derive(Debug)]
pub(crate) struct Signatures(Vec<Signed>);

#[derive(Debug)]
struct Signed {
    by: VerifyingKey,
    message: Vec<u8>,
    signature: Signature,
}

impl Signatures {
    /// Those of a token's bytes, the first by this key.
    pub(crate) fn of(bytes: &[u8], root: &[u8; 32]) -> Self {
        let token = schema::Biscuit::decode(bytes).expect("a token");
        let key = |bytes: &[u8]| {
            let bytes = bytes.try_into().expect("32 bytes");
            VerifyingKey::from_bytes(&bytes).expect("a key")
        };
        let mut by = key(root);
        let mut found = Vec::new();
        for block in std::iter::once(&token.authority).chain(&token.blocks) {
            let algorithm = block.next_key.algorithm.to_le_bytes();
            let message = [&block.block, &algorithm[..], &block.next_key.key].concat();
            let signature = Signature::from_slice(&block.signature).expect("a signature");
            found.push(Signed {
                by,
                message,
                signature,
            });
            by = key(&block.next_key.key);
        }
        Self(found)
    }

    /// How many they are.
    pub(crate) const fn count(&self) -> usize {
        self.0.len()
    }

    /// Verifies all of them.
    pub(crate) fn hold(&self) -> bool {
        let signed = std::hint::black_box(&self.0);
        signed.iter().all(|it| {
            let held = it.by.verify_strict(&it.message, &it.signature);
            std::hint::black_box(held).is_ok()
        })
    }
}
