//! Passwords: what is accepted, and the form in which they are stored.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A stored password: a PHC string, which the hasher alone can read.
///
/// Neither `Debug` nor `Display` shows it.
#[derive(Clone)]
pub struct PasswordHash(SecretString);

impl PasswordHash {
    /// Takes a PHC string from the hasher or the store.
    #[must_use]
    pub fn from_phc(phc: String) -> Self {
        Self(phc.into())
    }

    /// The PHC string.
    #[must_use]
    pub fn expose_phc(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum WeakPassword {
    /// Too few characters.
    #[error("shorter than the policy's minimum")]
    TooShort,
    /// Too many bytes.
    #[error("longer than 1024 bytes")]
    TooLong,
    /// One character or short pattern over and over, or a run along the alphabet or the digits.
    #[error("a repetition or a sequence")]
    Pattern,
    /// The person's own name or address, or the organization's, makes up most of it.
    #[error("built from the name or address of the account")]
    Context,
}

impl WeakPassword {
    /// The stable name in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Pattern => "pattern",
            Self::Context => "context",
        }
    }
}
