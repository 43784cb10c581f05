//! The form of a sealed file.
//!
//! ```text
//! "CYPS"  format  kind  key id  version  time    nonce  sealed + tag
//!   4       1      1      8       8        8       24     n + 16
//! ```
//! Numbers are big-endian. Associated data: a fixed text of the format, in
//! format 2 the store's id, the header without the nonce, and the name of the
//! secret. In format 1 the key itself is derived with the store's id.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Entropy, EntropyExt};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::keys::{Form, KeyId, SealKey, failed};
use crate::ports::{Damage, Sealed, SecretError};

const MAGIC: [u8; 4] = *b"CYPS";
const HEADER: usize = 30;
const NONCE: usize = 24;
const TAG: usize = 16;

/// What a sealed file held.
pub(super) struct Opened {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) at: Timestamp,
    /// As the header says; for a key ring its generation.
    pub(super) version: u64,
}

impl SealKey {
    /// Seals bytes as one item; `generation` counts only for the key ring itself.
    pub(super) fn seal(
        &self,
        item: &Sealed,
        generation: u64,
        bytes: &[u8],
        at: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SecretError> {
        let mut file = Vec::with_capacity(HEADER + NONCE + bytes.len() + TAG);
        file.extend(MAGIC);
        file.extend([self.form().number(), kind(item)]);
        file.extend(self.id());
        file.extend(version(item).unwrap_or(generation).to_be_bytes());
        file.extend(at.as_micros().to_be_bytes());
        let aad = associated(self.form(), &file, item);
        let nonce: [u8; NONCE] = entropy.bytes();
        file.extend(nonce);
        file.extend(self.encrypt(nonce, bytes, &aad)?);
        Ok(file)
    }

    /// Opens a file that should be this item.
    pub(super) fn open(&self, item: &Sealed, file: &[u8]) -> Result<Opened, SecretError> {
        let damaged = |damage| SecretError::Damaged {
            item: item.clone(),
            damage,
        };
        let header = Header::read(file).map_err(damaged)?;
        if header.key != self.id() {
            return Err(SecretError::WrongKey { item: item.clone() });
        }
        if header.format != self.form().number() {
            return Err(damaged(Damage::Header));
        }
        let other_version = version(item).is_some_and(|version| version != header.version);
        if header.kind != kind(item) || other_version {
            return Err(damaged(Damage::Misplaced));
        }
        let aad = associated(self.form(), header.text, item);
        let bytes = self.decrypt(header.nonce, header.sealed, &aad);
        Ok(Opened {
            bytes: bytes.ok_or_else(|| damaged(Damage::Seal))?,
            at: Timestamp::from_micros(header.time),
            version: header.version,
        })
    }

    fn cipher(&self) -> Result<XChaCha20Poly1305, SecretError> {
        XChaCha20Poly1305::new_from_slice(self.expose_secret()).map_err(failed)
    }

    /// Encrypts under a nonce that was never used.
    pub(super) fn encrypt(
        &self,
        nonce: [u8; NONCE],
        msg: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, SecretError> {
        let sealed = self
            .cipher()?
            .encrypt(&XNonce::from(nonce), Payload { msg, aad });
        sealed.map_err(failed)
    }

    /// Decrypts; `None` if anything is not what was encrypted.
    pub(super) fn decrypt(
        &self,
        nonce: [u8; NONCE],
        msg: &[u8],
        aad: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let cipher = self.cipher().ok()?;
        let opened = cipher.decrypt(&XNonce::from(nonce), Payload { msg, aad });
        opened.ok().map(Zeroizing::new)
    }
}

/// The id of the key that a file says it is sealed under.
pub(super) fn key_of(item: &Sealed, file: &[u8]) -> Result<KeyId, SecretError> {
    match Header::read(file) {
        Ok(header) => Ok(header.key),
        Err(damage) => Err(SecretError::Damaged {
            item: item.clone(),
            damage,
        }),
    }
}

/// Whether a sealed file says that it is of the first format.
pub(super) fn is_first_format(file: &[u8]) -> bool {
    file.starts_with(&MAGIC) && file.get(MAGIC.len()) == Some(&Form::First.number())
}

/// A sealed file, cut into its parts.
struct Header<'a> {
    text: &'a [u8],
    format: u8,
    kind: u8,
    key: KeyId,
    version: u64,
    time: i64,
    nonce: [u8; NONCE],
    sealed: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(file: &'a [u8]) -> Result<Self, Damage> {
        let (text, rest) = file.split_at_checked(HEADER).ok_or(Damage::Length)?;
        let (magic, at) = text.split_first_chunk::<4>().ok_or(Damage::Length)?;
        let (form, at) = at.split_first_chunk::<2>().ok_or(Damage::Length)?;
        let (key, at) = at.split_first_chunk::<8>().ok_or(Damage::Length)?;
        let (version, at) = at.split_first_chunk::<8>().ok_or(Damage::Length)?;
        let time = at.first_chunk::<8>().ok_or(Damage::Length)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(Damage::Length)?;
        let [format, kind] = *form;
        if *magic != MAGIC || !Form::NUMBERS.contains(&format) {
            return Err(Damage::Header);
        }
        if sealed.len() < TAG {
            return Err(Damage::Length);
        }
        Ok(Self {
            text,
            format,
            kind,
            key: *key,
            version: u64::from_be_bytes(*version),
            time: i64::from_be_bytes(*time),
            nonce: *nonce,
            sealed,
        })
    }
}

fn kind(item: &Sealed) -> u8 {
    match item {
        Sealed::Store | Sealed::Directory | Sealed::Key => 0,
        Sealed::Head(_) => 1,
        Sealed::Value(..) => 2,
    }
}

/// The version in an item's header, if it is the item's own.
fn version(item: &Sealed) -> Option<u64> {
    match item {
        Sealed::Value(_, version) => Some(version.get()),
        Sealed::Head(_) => Some(0),
        _ => None,
    }
}

fn associated(form: &Form, header: &[u8], item: &Sealed) -> Vec<u8> {
    let name = match item {
        Sealed::Head(name) | Sealed::Value(name, _) => name.as_str(),
        _ => "",
    };
    // All parts before the name have one length: no two items share these bytes.
    match form {
        Form::First => [b"cyprob-secrets local store v1\0", header, name.as_bytes()].concat(),
        Form::Second(store) => [
            b"cyprob-secrets local store v2\0",
            store.as_slice(),
            header,
            name.as_bytes(),
        ]
        .concat(),
    }
}
