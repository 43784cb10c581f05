//! Names of roles.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A role's name within an organization: `a-z`, `0-9`, `_` and `-`, 2 to 63 bytes, a letter first.
///
/// What a role permits is the authorization crate's to say; this crate knows
/// only that an organization keeps at least one [`RoleName::OWNER`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RoleName(Cow<'static, str>);

/// The text is not a role name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role name: 2 to 63 of a-z, 0-9, _ and -, a letter first")]
pub struct RoleError;

impl RoleName {
    /// The role that holds everything in an organization; its last holder stays.
    pub const OWNER: Self = Self(Cow::Borrowed("owner"));
    /// Runs the organization but cannot touch its owners.
    pub const ADMIN: Self = Self(Cow::Borrowed("admin"));
    /// Installs plugins and runs them.
    pub const OPERATOR: Self = Self(Cow::Borrowed("operator"));
    /// Runs what others have approved.
    pub const ANALYST: Self = Self(Cow::Borrowed("analyst"));
    /// Reads everything, the audit trail included, and reviews it.
    pub const AUDITOR: Self = Self(Cow::Borrowed("auditor"));
    /// Reads runs and findings.
    pub const VIEWER: Self = Self(Cow::Borrowed("viewer"));

    /// The roles that ship with the control plane, from the widest to the narrowest.
    pub const BUILTIN: [Self; 6] = [
        Self::OWNER,
        Self::ADMIN,
        Self::OPERATOR,
        Self::ANALYST,
        Self::AUDITOR,
        Self::VIEWER,
    ];

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        let holds = (2..=63).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if holds {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(RoleError)
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<RoleName> for String {
    fn from(role: RoleName) -> Self {
        role.0.into_owned()
    }
}

impl TryFrom<String> for RoleName {
    type Error = RoleError;

    fn try_from(text: String) -> Result<Self, RoleError> {
        text.parse()
    }
}
