//! The form of a sealed file.
//!
//! ```text
//! "CYPS"  format  kind  key id  version  time    nonce  sealed + tag
//!   4       1      1      8       8        8       24     n + 16
//! ```
//! Numbers are big-endian. Associated data: a fixed text, the header without
//! the nonce, and the name of the secret.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Entropy, EntropyExt};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::domain::MasterKey;
use crate::ports::{Damage, Sealed, SecretError};

const MAGIC: [u8; 4] = *b"CYPS";
const FORMAT: u8 = 1;
const HEADER: usize = 30;
const NONCE: usize = 24;
const TAG: usize = 16;
const CONTEXT: &[u8] = b"cyprob-secrets local store v1\0";

/// The keys of one store.
pub(super) struct Keys {
    seal: XChaCha20Poly1305,
    id: [u8; 8],
}

/// The random id of a store, which keeps stores under one master key apart.
pub(super) type StoreId = [u8; 16];

/// What a sealed file held.
pub(super) struct Opened {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) at: Timestamp,
}

/// A failure of the cipher itself, which only an impossible length causes.
#[derive(Debug, thiserror::Error)]
#[error("sealing failed")]
struct SealFailed;

impl Keys {
    /// Derives the keys of a store (HKDF-SHA-256, RFC 5869).
    pub(super) fn derive(master: &MasterKey, store: &StoreId) -> Result<Self, SecretError> {
        let mut seal = Zeroizing::new([0_u8; 32]);
        let mut id = [0_u8; 8];
        let failed = |_| SecretError::unavailable(SealFailed);
        let of_store = Hkdf::<Sha256>::new(Some(store), master.expose());
        let info = b"cyprob-secrets local store v1 seal";
        of_store.expand(info, seal.as_mut_slice()).map_err(failed)?;
        // Not bound to the store, so that a damaged id is not taken for a wrong key.
        let of_master = Hkdf::<Sha256>::new(None, master.expose());
        let info = b"cyprob-secrets local store v1 key id";
        of_master.expand(info, &mut id).map_err(failed)?;
        let seal = XChaCha20Poly1305::new_from_slice(seal.as_slice())
            .map_err(|_| SecretError::unavailable(SealFailed))?;
        Ok(Self { seal, id })
    }

    /// Seals bytes as one item.
    pub(super) fn seal(
        &self,
        item: &Sealed,
        bytes: &[u8],
        at: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SecretError> {
        let mut file = Vec::with_capacity(HEADER + NONCE + bytes.len() + TAG);
        file.extend(MAGIC);
        file.extend([FORMAT, kind(item)]);
        file.extend(self.id);
        file.extend(version(item).to_be_bytes());
        file.extend(at.as_micros().to_be_bytes());
        let aad = associated(&file, item);
        let nonce: [u8; NONCE] = entropy.bytes();
        file.extend(nonce);
        let payload = Payload {
            msg: bytes,
            aad: &aad,
        };
        let sealed = self.seal.encrypt(&XNonce::from(nonce), payload);
        file.extend(sealed.map_err(|_| SecretError::unavailable(SealFailed))?);
        Ok(file)
    }

    /// Opens a file that should be this item.
    pub(super) fn open(&self, item: &Sealed, file: &[u8]) -> Result<Opened, SecretError> {
        let damaged = |damage| SecretError::Damaged {
            item: item.clone(),
            damage,
        };
        let header = Header::read(file).map_err(damaged)?;
        if header.key != self.id {
            return Err(SecretError::WrongKey { item: item.clone() });
        }
        if header.kind != kind(item) || header.version != version(item) {
            return Err(damaged(Damage::Misplaced));
        }
        let aad = associated(header.text, item);
        let payload = Payload {
            msg: header.sealed,
            aad: &aad,
        };
        match self.seal.decrypt(&XNonce::from(header.nonce), payload) {
            Ok(bytes) => Ok(Opened {
                bytes: Zeroizing::new(bytes),
                at: Timestamp::from_micros(header.time),
            }),
            Err(_) => Err(damaged(Damage::Seal)),
        }
    }
}

/// A sealed file, cut into its parts.
struct Header<'a> {
    text: &'a [u8],
    kind: u8,
    key: [u8; 8],
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
        if *magic != MAGIC || format != FORMAT {
            return Err(Damage::Header);
        }
        if sealed.len() < TAG {
            return Err(Damage::Length);
        }
        Ok(Self {
            text,
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

fn version(item: &Sealed) -> u64 {
    match item {
        Sealed::Value(_, version) => version.get(),
        _ => 0,
    }
}

fn associated(header: &[u8], item: &Sealed) -> Vec<u8> {
    let name = match item {
        Sealed::Head(name) | Sealed::Value(name, _) => name.as_str(),
        _ => "",
    };
    // The header has one length and the name comes last: no two items share these bytes.
    [CONTEXT, header, name.as_bytes()].concat()
}
