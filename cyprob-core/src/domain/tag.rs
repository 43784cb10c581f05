//! Words that objects are marked with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that an object is marked with, and that a policy may ask for.
///
/// 1 to 64 bytes of `a-z`, `0-9` and `. _ : / -`, a letter or digit first:
/// `production`, `team:web`, `site/berlin`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Tag(String);

/// The text is not a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a tag: 1 to 64 of a-z, 0-9 and . _ : / -, a letter or digit first")]
pub struct TagError;

impl Tag {
    /// The most tags of one object.
    pub const MOST: usize = 16;

    /// The tag's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let inner = |byte: u8| plain(byte) || b"._:/-".contains(&byte);
        let holds = (1..=64).contains(&text.len())
            && text.bytes().next().is_some_and(plain)
            && text.bytes().all(inner);
        holds.then(|| Self(text.to_owned())).ok_or(TagError)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.0
    }
}

impl TryFrom<String> for Tag {
    type Error = TagError;

    fn try_from(text: String) -> Result<Self, TagError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_short_plain_words() {
        for text in [
            "a",
            "0",
            "team:web",
            "site/berlin",
            "a.b_c-d",
            &"x".repeat(64),
        ] {
            assert_eq!(text.parse::<Tag>().map(String::from), Ok(text.to_owned()));
        }
        for text in [
            "",
            "-a",
            ":a",
            "A",
            "ä",
            "a b",
            "a\0",
            "a,b",
            &"x".repeat(65),
        ] {
            assert_eq!(text.parse::<Tag>(), Err(TagError), "{text}");
        }
    }
}
