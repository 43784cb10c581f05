//! Names of places within a Vault, each with one spelling.

use std::fmt;
use std::str::FromStr;

use crate::domain::{RefPart, SecretRefError, plain, segments, word};

/// Where a secrets engine is mounted: one segment, so that it never reaches into a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultMount(String);

/// A namespace: segments joined by single slashes, without `.` and `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VaultNamespace(String);

impl VaultMount {
    /// The mount as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VaultNamespace {
    /// The namespace as text, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A text that is known to be one.
    pub(super) const fn known(text: String) -> Self {
        Self(text)
    }

    /// A namespace below this one.
    pub(super) fn below(&self, child: &Self) -> Self {
        Self(format!("{}/{}", self.0, child.0))
    }
}

impl FromStr for VaultMount {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        word(RefPart::Mount, text, plain).map(|text| Self(text.to_owned()))
    }
}

impl FromStr for VaultNamespace {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        segments(RefPart::Namespace, text, plain).map(|text| Self(text.to_owned()))
    }
}

impl fmt::Display for VaultMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for VaultNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
