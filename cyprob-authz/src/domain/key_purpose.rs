//! Which rings of keys there are.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// What the tokens of a ring are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPurpose {
    /// Access tokens of people.
    User,
    /// Access tokens of service accounts.
    Service,
    /// Tokens of workers, for one attempt each.
    Worker,
}

/// The text names no ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no ring: user, service or worker")]
pub struct UnknownPurpose;

impl KeyPurpose {
    /// Every ring.
    pub const ALL: [Self; 3] = [Self::User, Self::Service, Self::Worker];

    /// The name of the ring.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
            Self::Worker => "worker",
        }
    }
}

impl fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyPurpose {
    type Err = UnknownPurpose;

    fn from_str(text: &str) -> Result<Self, UnknownPurpose> {
        let mut all = Self::ALL.into_iter();
        let named = all.find(|purpose| purpose.as_str() == text);
        named.ok_or(UnknownPurpose)
    }
}
