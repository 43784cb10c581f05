//! Passwords: what makes one weak, and the form in which they are stored.

mod breach;
mod common;
mod context;
mod pattern;

pub use breach::BreachDigest;
pub(super) use common::is_common;
pub use context::ContextWords;
pub(super) use pattern::is_pattern;

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

/// What a password is to its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PasswordRole {
    /// It is the only factor.
    Alone,
    /// A second factor is asked for beside it.
    BesideSecondFactor,
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
    /// A short pattern over and over, or runs along the alphabet, the digits, the keyboard or the calendar.
    #[error("a repetition or a sequence")]
    Pattern,
    /// Names and addresses of the person, an organization or the product make up most of it.
    #[error("built from the name or address of the account, an organization or the product")]
    Context,
    /// One or two of the passwords that many people choose, with little around them.
    #[error("a password that many people choose, or two of them")]
    Common,
    /// It stands on the host's list of passwords that were disclosed.
    #[error("a password that was disclosed in a breach")]
    Breached,
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
            Self::Common => "common",
            Self::Breached => "breached",
        }
    }
}

/// The letter that a look-alike stands for; `one` is what 1 stands for.
fn plain_letter(c: char, one: char) -> char {
    match c {
        '0' => 'o',
        '1' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '!' => 'i',
        other => other,
    }
}
