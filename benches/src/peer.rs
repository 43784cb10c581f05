//! The yardstick of decisions.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// One strict Ed25519 verification of a message of 500 bytes, about a token's first block.
#[derive(Debug)]
pub struct Ed25519 {
    public: VerifyingKey,
    message: [u8; 500],
    signature: Signature,
}

impl Default for Ed25519 {
    fn default() -> Self {
        let key = SigningKey::from_bytes(&[9; 32]);
        let message = [7; 500];
        Self {
            public: key.verifying_key(),
            signature: key.sign(&message),
            message,
        }
    }
}

impl Ed25519 {
    /// Verifies once.
    ///
    /// # Panics
    ///
    /// If the signature does not hold, which it does.
    pub fn verify(&self) {
        let message = std::hint::black_box(&self.message);
        let held = self.public.verify_strict(message, &self.signature);
        assert!(std::hint::black_box(held).is_ok());
    }
}
