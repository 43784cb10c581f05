//! Wrapping subject keys under the deployment's key.
//!
//! Each is encrypted with ChaCha20-Poly1305 under a key of its own, derived
//! from the deployment's key and the subject key's random id; such a key
//! encrypts once, so its nonce is zero. Log and owner are bound in.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Where a key belongs: log, owner, id.
pub(super) struct Place<'a> {
    pub(super) log: &'a [u8],
    pub(super) owner: &'a [u8],
    pub(super) id: &'a [u8; 16],
}

impl Place<'_> {
    fn bound(&self) -> Vec<u8> {
        let mut bound = b"cyprob-audit/wrap/v1".to_vec();
        for part in [self.log, self.owner, self.id.as_slice()] {
            // Each is at most 16 bytes long.
            bound.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
            bound.extend_from_slice(part);
        }
        bound
    }

    fn cipher(&self, kek: &SecretBox<[u8; 32]>) -> Option<ChaCha20Poly1305> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(kek.expose_secret()).ok()?;
        mac.update(&self.bound());
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(mac.finalize().into_bytes().into());
        ChaCha20Poly1305::new_from_slice(key.as_slice()).ok()
    }

    pub(super) fn wrap(&self, kek: &SecretBox<[u8; 32]>, secret: &[u8; 32]) -> Option<Vec<u8>> {
        let payload = Payload {
            msg: secret,
            aad: &self.bound(),
        };
        self.cipher(kek)?
            .encrypt(&Nonce::from([0; 12]), payload)
            .ok()
    }

    pub(super) fn unwrap(
        &self,
        kek: &SecretBox<[u8; 32]>,
        wrapped: &[u8],
    ) -> Option<SecretBox<[u8; 32]>> {
        let payload = Payload {
            msg: wrapped,
            aad: &self.bound(),
        };
        let secret = self.cipher(kek)?.decrypt(&Nonce::from([0; 12]), payload);
        let secret = Zeroizing::new(secret.ok()?);
        let secret: [u8; 32] = secret.as_slice().try_into().ok()?;
        Some(SecretBox::new(Box::new(secret)))
    }
}
