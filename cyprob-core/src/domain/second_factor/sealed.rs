//! Secrets at rest: sealed with XChaCha20-Poly1305 under a key of the deployment.
//!
//! ```text
//! form  key id  nonce  sealed + tag
//!  1      4      24      20 + 16
//! ```
//! Associated data: a fixed text, form and key id, and the owner's id, so that a
//! copy of the database gives no factor and no row passes for another person's.

use std::collections::BTreeMap;
use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::TotpSecret;
use crate::domain::UserId;

const FORM: u8 = 1;
const NONCE: usize = 24;
const CONTEXT: &[u8] = b"cyprob totp secret v1\0";

/// The name of a server key for second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactorKeyId(u32);

impl FactorKeyId {
    /// The key with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }
}

/// A server key for second factors: 256 random bits.
#[derive(Clone)]
pub struct FactorKey(Zeroizing<[u8; 32]>);

impl FactorKey {
    /// Takes 256 random bits.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for FactorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactorKey(…)")
    }
}

/// The server's keys: one that new secrets are sealed with, and those that open older ones.
#[derive(Clone, Debug)]
pub struct FactorKeys {
    active: FactorKeyId,
    keys: BTreeMap<FactorKeyId, FactorKey>,
}

/// A secret as the store keeps it. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(Vec<u8>);

impl SealedSecret {
    /// Takes stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes that are stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(…)")
    }
}

impl FactorKeys {
    /// A ring of one key.
    #[must_use]
    pub fn new(id: FactorKeyId, key: FactorKey) -> Self {
        Self {
            active: id,
            keys: BTreeMap::from([(id, key)]),
        }
    }

    /// Adds a key that opens but seals nothing new. Adding the active one's id changes nothing.
    #[must_use]
    pub fn with_accepted(mut self, id: FactorKeyId, key: FactorKey) -> Self {
        self.keys.entry(id).or_insert(key);
        self
    }

    /// Seals a person's secret with 192 random bits; `None` if the cipher fails, which no input makes it do.
    #[must_use]
    pub fn seal(
        &self,
        owner: UserId,
        secret: &TotpSecret,
        nonce: [u8; NONCE],
    ) -> Option<SealedSecret> {
        let mut bytes = vec![FORM];
        bytes.extend(self.active.0.to_be_bytes());
        let aad = associated(&bytes, owner);
        let payload = Payload {
            msg: secret.expose_bytes(),
            aad: &aad,
        };
        let sealed = self
            .cipher(self.active)?
            .encrypt(&XNonce::from(nonce), payload)
            .ok()?;
        bytes.extend(nonce);
        bytes.extend(sealed);
        Some(SealedSecret(bytes))
    }

    /// Opens a person's secret; `None` if it is another's, was altered, or its key is on no ring.
    #[must_use]
    pub fn open(&self, owner: UserId, sealed: &SealedSecret) -> Option<TotpSecret> {
        let (header, rest) = sealed.0.split_first_chunk::<5>()?;
        let [form, key @ ..] = *header;
        if form != FORM {
            return None;
        }
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        let aad = associated(header, owner);
        let payload = Payload {
            msg: sealed,
            aad: &aad,
        };
        let opened = self
            .cipher(FactorKeyId(u32::from_be_bytes(key)))?
            .decrypt(&XNonce::from(*nonce), payload)
            .ok()?;
        let opened = Zeroizing::new(opened);
        opened.as_slice().try_into().ok().map(TotpSecret::new)
    }

    fn cipher(&self, id: FactorKeyId) -> Option<XChaCha20Poly1305> {
        XChaCha20Poly1305::new_from_slice(self.keys.get(&id)?.0.as_slice()).ok()
    }
}

fn associated(header: &[u8], owner: UserId) -> Vec<u8> {
    [CONTEXT, header, owner.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Id, Timestamp};

    fn user(number: u8) -> UserId {
        UserId::from_random(Timestamp::UNIX_EPOCH, [number; 10])
    }

    fn ring(id: u32, byte: u8) -> FactorKeys {
        FactorKeys::new(FactorKeyId::new(id), FactorKey::new([byte; 32]))
    }

    fn sealed() -> SealedSecret {
        let secret = TotpSecret::new([42; 20]);
        ring(1, 7).seal(user(1), &secret, [9; 24]).unwrap()
    }

    #[test]
    fn a_secret_opens_for_its_owner_under_its_key_alone() {
        let opened = ring(1, 7).open(user(1), &sealed()).unwrap();
        assert_eq!(opened.expose_bytes(), &[42; 20]);
        assert!(ring(1, 7).open(user(2), &sealed()).is_none());
        assert!(ring(1, 8).open(user(1), &sealed()).is_none());
        assert!(ring(2, 7).open(user(1), &sealed()).is_none());
        let newer = ring(2, 8).with_accepted(FactorKeyId::new(1), FactorKey::new([7; 32]));
        assert!(newer.open(user(1), &sealed()).is_some());
    }

    #[test]
    fn every_altered_byte_and_every_length_is_refused() {
        let whole = sealed();
        for place in 0..whole.0.len() {
            let mut spoilt = whole.clone();
            spoilt.0[place] ^= 1;
            assert!(ring(1, 7).open(user(1), &spoilt).is_none(), "{place}");
            let cut = SealedSecret(whole.0[..place].to_vec());
            assert!(ring(1, 7).open(user(1), &cut).is_none(), "cut at {place}");
        }
    }

    #[test]
    fn the_sealed_form_holds_nothing_of_the_secret() {
        assert!(!sealed().0.windows(4).any(|bytes| bytes == [42; 4]));
        assert_eq!(format!("{:?}", sealed()), "SealedSecret(…)");
        let keys = format!("{:?}", ring(1, 7));
        assert!(
            keys.contains("FactorKey(…)") && !keys.contains("7, 7"),
            "{keys}"
        );
    }
}
