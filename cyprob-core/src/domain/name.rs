//! Names shown to people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name of a person or an organization: 1 to 200 characters on one line.
///
/// Control characters and those that turn the direction of text are refused,
/// because a name is printed in lists, logs and mails beside trusted text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DisplayName(String);

/// The text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a name: 1 to 200 characters on one line, not all of them blank")]
pub struct NameError;

impl DisplayName {
    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        let holds = (1..=200).contains(&text.chars().count())
            && !text.chars().any(|c| {
                c.is_control()
                    || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            });
        if holds {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError)
        }
    }
}

/// Shows the length alone, since a name is personal.
impl fmt::Debug for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DisplayName({} bytes)", self.0.len())
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> Self {
        name.0
    }
}

impl TryFrom<String> for DisplayName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}
