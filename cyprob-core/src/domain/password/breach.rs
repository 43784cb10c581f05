//! The form in which disclosed passwords are listed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

/// The SHA-1 of a password exactly as received, as lists of disclosed passwords name it.
///
/// It is as secret as the password: `Debug` does not show it and it is wiped
/// when dropped.
#[derive(Clone)]
pub struct BreachDigest(Zeroizing<[u8; Self::LEN]>);

impl BreachDigest {
    /// The number of bytes.
    pub const LEN: usize = 20;

    /// The digest of a password.
    #[must_use]
    pub fn of(password: &SecretString) -> Self {
        let digest = Sha1::digest(password.expose_secret().as_bytes());
        Self(Zeroizing::new(digest.into()))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for BreachDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BreachDigest(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_sha_1_and_is_not_shown() {
        let digest = BreachDigest::of(&"password".into());
        assert_eq!(
            hex::encode(digest.as_bytes()),
            "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"
        );
        assert_eq!(format!("{digest:?}"), "BreachDigest(…)");
    }
}
