//! Names of roles.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A role's name within an organization: `a-z`, `0-9`, `_` and `-`, 2 to 63 bytes, a letter first.
///
/// What a role permits is the authorization crate's to say; this crate knows
/// only that an organization keeps at least one [`RoleName::OWNER`].
///
/// Clones share the text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RoleName(Text);

#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

/// The text is not a role name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role name: 2 to 63 of a-z, 0-9, _ and -, a letter first")]
pub struct RoleError;

impl RoleName {
    /// The role that holds everything in an organization; its last holder stays.
    pub const OWNER: Self = Self(Text::Static("owner"));
    /// Runs the organization but cannot touch its owners.
    pub const ADMIN: Self = Self(Text::Static("admin"));
    /// Installs plugins and runs them.
    pub const OPERATOR: Self = Self(Text::Static("operator"));
    /// Runs what others have approved.
    pub const ANALYST: Self = Self(Text::Static("analyst"));
    /// Reads everything, the audit trail included, and reviews it.
    pub const AUDITOR: Self = Self(Text::Static("auditor"));
    /// Reads runs and findings.
    pub const VIEWER: Self = Self(Text::Static("viewer"));

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
        match &self.0 {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl PartialEq for RoleName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RoleName {}

impl PartialOrd for RoleName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RoleName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for RoleName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RoleName").field(&self.as_str()).finish()
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
            Ok(Self(Text::Shared(text.into())))
        } else {
            Err(RoleError)
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<RoleName> for String {
    fn from(role: RoleName) -> Self {
        role.as_str().to_owned()
    }
}

impl TryFrom<String> for RoleName {
    type Error = RoleError;

    fn try_from(text: String) -> Result<Self, RoleError> {
        text.parse()
    }
}
