//! The text of service keys: `cyk_<id>_<secret>_<checksum>`.
//!
//! A secret scanner finds a key by
//! `cyk_[0-9a-f]{32}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}` and tells it from a text
//! that only looks like one by the checksum: the CRC-32 (as in zlib, RFC 1952)
//! of everything before the last `_`, in base 62 with the digits `0-9A-Za-z`,
//! six of them. The checksum is no protection: whoever can read a key can
//! compute it.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{Id, KeyId, TokenDigest};

/// What secret scanners look for.
pub const SERVICE_KEY_PATTERN: &str = "cyk_[0-9a-f]{32}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}";

const PREFIX: &str = "cyk_";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;

/// The text of a key: its id, 256 secret bits and the checksum. It is shown once.
#[must_use]
pub fn service_key_text(id: KeyId, secret: &Zeroizing<[u8; 32]>) -> SecretString {
    let hex = id.to_string();
    let hex = hex.rsplit('_').next().unwrap_or_default();
    let secret = Zeroizing::new(base62(secret.as_slice(), SECRET_DIGITS));
    let body = Zeroizing::new(format!("{PREFIX}{hex}_{}", secret.as_str()));
    let checksum = checksum(body.as_bytes());
    SecretString::from(format!("{}_{checksum}", body.as_str()))
}

/// Which key a text is, and the digest to hold against the stored one; none if the text is no key.
///
/// The checksum is looked at first, so a mistyped key costs no look-up.
#[must_use]
pub fn read_service_key(text: &SecretString) -> Option<(KeyId, TokenDigest)> {
    let text = text.expose_secret();
    let (body, sum) = text.rsplit_once('_')?;
    let (hex, secret) = body.strip_prefix(PREFIX)?.split_once('_')?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if secret.len() != SECRET_DIGITS || !is_digits(secret) || checksum(body.as_bytes()) != sum {
        return None;
    }
    let id = format!("{}_{hex}", KeyId::PREFIX).parse().ok()?;
    Some((id, TokenDigest::of(text)))
}

fn checksum(bytes: &[u8]) -> String {
    base62(&crc32(bytes).to_be_bytes(), CHECKSUM_DIGITS)
}

/// The CRC-32 of zlib, without a table: a key is short.
fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            let carry = if sum & 1 == 1 { 0xedb8_8320 } else { 0 };
            (sum >> 1) ^ carry
        })
    });
    !sum
}

/// A number of big-endian bytes in so many digits of base 62, which must be enough.
fn base62(bytes: &[u8], digits: usize) -> String {
    let mut number = Zeroizing::new(bytes.to_vec());
    let mut text = Zeroizing::new(Vec::with_capacity(digits));
    for _ in 0..digits {
        let mut rest = 0_u32;
        for byte in number.iter_mut() {
            let here = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(here / 62).unwrap_or(u8::MAX);
            rest = here % 62;
        }
        let digit = usize::try_from(rest).unwrap_or_default();
        text.push(DIGITS.get(digit).copied().unwrap_or(b'0'));
    }
    text.iter().rev().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn key(secret: u8) -> (KeyId, SecretString) {
        let id = KeyId::from_random(Timestamp::from_seconds(1_767_225_600), [9; 10]);
        (id, service_key_text(id, &Zeroizing::new([secret; 32])))
    }

    #[test]
    fn the_checksum_is_that_of_zlib_in_base_62() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(base62(&0_u32.to_be_bytes(), 6), "000000");
        assert_eq!(base62(&u32::MAX.to_be_bytes(), 6), "4gfFC3");
        assert_eq!(base62(&[0xff; 32], 43).len(), 43);
        assert_ne!(base62(&[0xff; 32], 43).as_bytes()[0], b'0');
    }

    #[test]
    fn a_key_reads_back_and_has_the_form_that_scanners_look_for() {
        for secret in [0, 7, 255] {
            let (id, text) = key(secret);
            let read = read_service_key(&text).unwrap();
            assert_eq!(read.0, id);
            assert!(read.1.matches(&TokenDigest::of(text.expose_secret())));
            let parts: Vec<_> = text.expose_secret().split('_').collect();
            let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
            assert_eq!(lengths, [3, 32, 43, 6]);
            assert_eq!(parts[0], "cyk");
        }
    }

    #[test]
    fn one_wrong_letter_anywhere_is_no_key() {
        let (_, text) = key(7);
        let text = text.expose_secret();
        for at in 0..text.len() {
            let mut wrong = text.as_bytes().to_vec();
            wrong[at] = if wrong[at] == b'1' { b'2' } else { b'1' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(read_service_key(&wrong.clone().into()).is_none(), "{wrong}");
        }
        for wrong in ["", "cyk_", "_", "cyk___", &text[1..], &format!("{text}0")] {
            assert!(read_service_key(&wrong.to_owned().into()).is_none());
        }
    }
}
