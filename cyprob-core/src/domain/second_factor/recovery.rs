//! Recovery codes: what lets a person in whose device is lost.

use std::fmt;

use secrecy::SecretString;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::base32;
use crate::domain::{TokenDigest, UserId};

/// Characters between two dashes.
const GROUP: usize = 6;
/// Characters of a code, dashes apart.
const LETTERS: usize = 24;

/// A recovery code: 120 random bits, good once. `Debug` does not show it.
///
/// With 112 bits or more a plain hash keeps it (ASVS 5.0, 6.5.2).
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<[u8; Self::LEN]>);

impl RecoveryCode {
    /// The number of bytes.
    pub const LEN: usize = 15;

    /// Takes 120 random bits.
    #[must_use]
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads a code as typed: case and dashes do not matter, and letters that look like digits are those.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 2 * LETTERS {
            return None;
        }
        let letters =
            text.bytes()
                .filter(|byte| *byte != b'-')
                .map(|byte| match byte.to_ascii_lowercase() {
                    b'o' => b'0',
                    b'i' | b'l' => b'1',
                    other => other,
                });
        base32::decode(letters, base32::CROCKFORD).map(Self)
    }

    /// The code as it is shown: four groups of six characters.
    #[must_use]
    pub fn text(&self) -> SecretString {
        let letters = base32::encode(self.0.as_slice(), base32::CROCKFORD);
        let mut text = Zeroizing::new(String::with_capacity(LETTERS + LETTERS / GROUP));
        for (place, letter) in letters.chars().enumerate() {
            if place > 0 && place % GROUP == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        text.as_str().into()
    }

    /// What is stored of it: its SHA-256 with its owner, so that it is nobody else's.
    #[must_use]
    pub fn digest(&self, owner: UserId) -> TokenDigest {
        let hash = Sha256::new()
            .chain_update(b"cyprob recovery code v1\0")
            .chain_update(owner.as_bytes())
            .chain_update(self.0.as_slice())
            .finalize();
        TokenDigest::from_bytes(hash.into())
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::domain::{Id, Timestamp};

    fn code() -> RecoveryCode {
        RecoveryCode::new([0, 1, 2, 3, 4, 250, 251, 252, 253, 254, 255, 31, 32, 33, 34])
    }

    /// 120 bits, so a plain hash may keep them (ASVS 6.5.2), and far more than 20 (6.5.4).
    #[test]
    fn asvs_6_5_2_a_code_has_at_least_112_bits() {
        let text = code().text();
        let letters = text.expose_secret().bytes().filter(|byte| *byte != b'-');
        let bits = letters.count() * 5;
        assert!(bits >= 112 && bits == RecoveryCode::LEN * 8, "{bits}");
    }

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        let shown = code().text();
        let shown = shown.expose_secret();
        let user = UserId::from_random(Timestamp::UNIX_EPOCH, [1; 10]);
        let typed = [
            shown.to_owned(),
            shown.to_uppercase(),
            shown.replace('-', ""),
            shown.replace('0', "O").replace('1', "l"),
        ];
        for text in typed {
            let read = RecoveryCode::parse(&text).unwrap();
            assert_eq!(read.digest(user), code().digest(user), "{text}");
        }
        for bad in [
            "",
            "000000",
            &shown[1..],
            &format!("{shown}0"),
            &"-".repeat(60),
        ] {
            assert!(RecoveryCode::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_code_is_its_owners_and_shows_nowhere() {
        let [one, two] = [1, 2].map(|n| UserId::from_random(Timestamp::UNIX_EPOCH, [n; 10]));
        assert_ne!(code().digest(one), code().digest(two));
        assert_eq!(format!("{:?}", code()), "RecoveryCode(…)");
    }
}
