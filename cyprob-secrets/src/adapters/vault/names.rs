//! Names of places within a Vault, each with one spelling.

use std::fmt;
use std::str::FromStr;

use crate::domain::{RefPart, SecretRefError, plain, segments, word};

/// Where a secrets engine is mounted: one segment, so that it never reaches into a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultMount(String);

/// The name of a role or of a key: one segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultName(String);

/// Where a login method is mounted below `auth/`: segments joined by single slashes, without `.` and `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VaultAuthMount(String);

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

impl VaultName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VaultAuthMount {
    /// A place that the code has, which a test reads.
    pub(super) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The place as text, without `auth/` and without a slash at its end.
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

impl FromStr for VaultName {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        word(RefPart::Name, text, plain).map(|text| Self(text.to_owned()))
    }
}

impl FromStr for VaultAuthMount {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        segments(RefPart::Mount, text, plain).map(|text| Self(text.to_owned()))
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

impl fmt::Display for VaultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for VaultAuthMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for VaultNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CROOKED: [&str; 12] = [
        "", ".", "..", "/a", "a/", "a//b", "a/../b", "a/./b", "a%2fb", "a b", "a?b", "a\\b",
    ];

    #[test]
    fn names_of_roles_and_keys_are_one_segment() {
        for good in ["app", "App-1", "cyprob-user-00ff-7", "a.b_c"] {
            assert_eq!(good.parse::<VaultName>().unwrap().to_string(), good);
            assert_eq!(good.parse::<VaultMount>().unwrap().to_string(), good);
        }
        for bad in CROOKED.into_iter().chain(["a/b"]) {
            assert!(bad.parse::<VaultName>().is_err(), "{bad:?}");
            assert!(bad.parse::<VaultMount>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn login_methods_are_mounted_below_as_many_segments_as_one_likes() {
        for good in ["kubernetes", "approle", "clusters/eu-1/kubernetes"] {
            assert_eq!(good.parse::<VaultAuthMount>().unwrap().to_string(), good);
        }
        for bad in CROOKED {
            assert!(bad.parse::<VaultAuthMount>().is_err(), "{bad:?}");
        }
        for known in [
            super::super::login::APP_ROLE,
            super::super::login::KUBERNETES,
        ] {
            let parsed: VaultAuthMount = known.parse().unwrap();
            assert_eq!(parsed, VaultAuthMount::known(known));
        }
    }
}
