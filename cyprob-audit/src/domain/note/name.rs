//! Names of keys, which are also the origins of logs.

use std::fmt;
use std::str::FromStr;

/// The text cannot name a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key name: 1 to 255 bytes without spaces, control characters and plus signs")]
pub struct KeyNameError;

/// The name of a note key: a schema-less URL such as `example.com/log`.
///
/// 1 to 255 bytes, no Unicode space, no plus sign, no control character. Two
/// names are refused beyond the specification, since a log so named would sign
/// what reads as the first line of a cosignature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<Self, KeyNameError> {
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        let reserved = matches!(text, "cosignature/v1" | "subtree/v1");
        if text.is_empty() || text.len() > 255 || reserved || !text.chars().all(plain) {
            return Err(KeyNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
