//! A version as the source of a secret names it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::SecretVersion;
use super::reference::{RefFault, RefPart, SecretRefError, check_text};

/// The version of a secret that was read: a number, or an id that its source made up.
///
/// Two reads that say the same version read the same value. It is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SourceVersion {
    /// Counted from 1, as our own stores and Vault do.
    Number(SecretVersion),
    /// Without an order, as AWS Secrets Manager has them.
    Id(VersionId),
}

/// A version's id: 1 to 64 letters, digits and `. _ -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionId(Arc<str>);

impl SourceVersion {
    /// The number, where the source counts.
    #[must_use]
    pub const fn number(&self) -> Option<SecretVersion> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Id(_) => None,
        }
    }
}

impl VersionId {
    /// The most bytes of an id.
    pub const MAX_LEN: usize = 64;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<SecretVersion> for SourceVersion {
    fn from(number: SecretVersion) -> Self {
        Self::Number(number)
    }
}

impl From<VersionId> for SourceVersion {
    fn from(id: VersionId) -> Self {
        Self::Id(id)
    }
}

impl FromStr for VersionId {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        check_text(RefPart::Version, text, Self::MAX_LEN)?;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        match (text.is_empty(), text.bytes().all(allowed)) {
            (true, _) => Err(SecretRefError::new(RefPart::Version, RefFault::Missing)),
            (_, false) => Err(SecretRefError::new(
                RefPart::Version,
                RefFault::BadCharacter,
            )),
            (false, true) => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for SourceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_short_word() {
        let id = "3f2a8c1e-0b54-4d0e-9f6e-6b8f7c1d2e3f";
        assert_eq!(id.parse::<VersionId>().unwrap().to_string(), id);
        let long = "a".repeat(65);
        for bad in ["", "a b", "a/b", "a%2f", "é", "a\n", long.as_str()] {
            assert!(bad.parse::<VersionId>().is_err(), "{bad:?}");
        }
    }
}
