//! The number of a stored value.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use super::reference::{RefFault, RefPart, SecretRefError};

/// The number of one stored value of a secret: 1 for the first, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretVersion(NonZeroU64);

impl SecretVersion {
    /// The first version.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// Makes a version from its number; `None` for zero.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Its number, at least 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for SecretVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SecretVersion {
    type Err = SecretRefError;

    /// Reads decimal digits without sign or leading zero.
    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        let bad = SecretRefError::new(RefPart::Version, RefFault::NotAVersion);
        if text.is_empty() || text.starts_with('0') || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad);
        }
        text.parse().ok().and_then(Self::new).ok_or(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_digits_are_read() {
        assert_eq!("1".parse::<SecretVersion>().unwrap(), SecretVersion::FIRST);
        assert_eq!(
            u64::MAX.to_string().parse::<SecretVersion>().unwrap().get(),
            u64::MAX
        );
        for bad in [
            "",
            "0",
            "01",
            "+1",
            "-1",
            "1 ",
            "1e3",
            "18446744073709551616",
            "\u{661}",
        ] {
            assert!(bad.parse::<SecretVersion>().is_err(), "{bad:?}");
        }
    }
}
