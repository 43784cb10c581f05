//! The name of a secret in a store of our own.

use std::fmt;
use std::str::FromStr;

use super::reference::{RefFault, RefPart, SecretRefError, check_text, segments};

/// The name of a secret in the memory or local store, such as `signing/root`.
///
/// Segments of `a-z 0-9 . _ -`, each beginning with a letter or digit, joined
/// by single slashes; at most 200 bytes. Capitals are refused so that two
/// names never meet on a file system that ignores case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

impl SecretName {
    /// The most bytes a name may have.
    pub const MAX_LEN: usize = 200;

    /// A name that the code has, which a test reads.
    pub(super) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this name has the other one's segments before some of its own.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        let rest = self.0.strip_prefix(&other.0);
        rest.is_some_and(|rest| rest.starts_with('/'))
    }

    /// This name with more segments after it.
    pub(crate) fn join(&self, below: &str) -> Result<Self, SecretRefError> {
        format!("{}/{below}", self.0).parse()
    }
}

impl FromStr for SecretName {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        check_text(RefPart::Name, text, Self::MAX_LEN)?;
        segments(
            RefPart::Name,
            text,
            |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'),
        )?;
        let starts_well = |s: &str| s.starts_with(|c: char| c.is_ascii_alphanumeric());
        if text.split('/').all(starts_well) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SecretRefError::new(RefPart::Name, RefFault::BadStart))
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        for good in ["a", "signing/root", "a.b/c_d/e-f", "0/1"] {
            assert_eq!(good.parse::<SecretName>().unwrap().to_string(), good);
        }
        let long = "a".repeat(201);
        for bad in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "a/./b",
            ".a",
            "-a",
            "a/_b",
            "A",
            "a b",
            "a+b",
            "a@1",
            "a\\b",
            "a%2fb",
            "é",
            "a\0",
            long.as_str(),
        ] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_below_another_by_whole_segments() {
        let name = |text: &str| text.parse::<SecretName>().unwrap();
        assert!(name("a/b").is_below(&name("a")));
        assert!(name("a/b/c").is_below(&name("a/b")));
        for (one, other) in [("a", "a"), ("ab", "a"), ("a-b/c", "a"), ("a", "a/b")] {
            assert!(!name(one).is_below(&name(other)), "{one} {other}");
        }
    }
}
