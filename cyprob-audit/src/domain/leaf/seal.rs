//! Sealing one value under a subject key.
//!
//! ChaCha20-Poly1305 (RFC 8439). The nonce is a keyed hash of what is sealed
//! and where it stands, so that sealing draws no randomness, sealing the same
//! event twice gives the same bytes, and no two different values ever share a
//! nonce by an event id that came twice. The text is padded to whole blocks of
//! 48 bytes: the length of an address is no hint at the address.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use cyprob_core::domain::EventId;
use hmac::{Hmac, Mac as _};
use secrecy::ExposeSecret as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::key::{SubjectKey, SubjectKeyId};
use super::record::Personal;
use crate::domain::KeyName;

/// A personal value as a leaf keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedValue {
    /// The id of the key that opens it.
    pub key: SubjectKeyId,
    /// Nonce (12 bytes), ciphertext and tag (16 bytes).
    pub bytes: Vec<u8>,
}

const BLOCK: usize = 48;
const NONCE: usize = 12;

/// Where a value stands: it opens in no other log, event or field.
fn place(origin: &KeyName, event: EventId, field: &str) -> String {
    format!("cyprob-audit/seal/v1\n{origin}\n{event}\n{field}")
}

pub(super) fn seal(
    key: &SubjectKey,
    origin: &KeyName,
    event: EventId,
    field: &str,
    value: &str,
) -> Option<SealedValue> {
    let place = place(origin, event, field);
    let nonce = mac(
        derive(key, "nonce")?.as_slice(),
        &[
            &u64::try_from(place.len()).ok()?.to_be_bytes(),
            place.as_bytes(),
            value.as_bytes(),
        ],
    )?;
    let nonce = nonce.first_chunk::<NONCE>()?;
    let padded = Zeroizing::new(pad(value));
    let sealed = cipher(key)?
        .encrypt(
            &Nonce::from(*nonce),
            Payload {
                msg: &padded,
                aad: place.as_bytes(),
            },
        )
        .ok()?;
    let mut bytes = nonce.to_vec();
    bytes.extend(sealed);
    Some(SealedValue { key: key.id, bytes })
}

pub(super) fn open(
    key: &SubjectKey,
    origin: &KeyName,
    event: EventId,
    field: &str,
    sealed: &SealedValue,
) -> Personal {
    let place = place(origin, event, field);
    let opened = || {
        let (nonce, sealed) = sealed.bytes.split_first_chunk::<NONCE>()?;
        let padded = cipher(key)?
            .decrypt(
                &Nonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: place.as_bytes(),
                },
            )
            .ok()?;
        unpad(Zeroizing::new(padded))
    };
    opened().map_or(Personal::Unreadable, Personal::Clear)
}

fn cipher(key: &SubjectKey) -> Option<ChaCha20Poly1305> {
    ChaCha20Poly1305::new_from_slice(derive(key, "cipher")?.as_slice()).ok()
}

/// One key for each use.
fn derive(key: &SubjectKey, purpose: &str) -> Option<Zeroizing<[u8; 32]>> {
    let label = format!("cyprob-audit/seal/v1/{purpose}");
    mac(key.secret.expose_secret(), &[label.as_bytes()])
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Option<Zeroizing<[u8; 32]>> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(Zeroizing::new(mac.finalize().into_bytes().into()))
}

/// The text, a one bit, and zeros up to a whole block (ISO/IEC 7816-4).
fn pad(value: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity((value.len() / BLOCK + 1) * BLOCK);
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(0x80);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn unpad(padded: Zeroizing<Vec<u8>>) -> Option<String> {
    let end = padded.iter().rposition(|b| *b != 0)?;
    let (value, mark) = padded.split_at_checked(end)?;
    if mark.first() != Some(&0x80) {
        return None;
    }
    String::from_utf8(value.to_vec()).ok()
}
