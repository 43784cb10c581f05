//! A role that somebody picks.

use std::fmt;
use std::str::FromStr;

use super::{Epoch, RoleId, RoleName};

/// One version of a role that an organization defined.
///
/// What a version permits never changes: an edit makes the next one and ends
/// the tokens of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RoleVersion {
    /// The role; another one that later has the same name has another id.
    pub id: RoleId,
    /// Grows with each edit.
    pub epoch: Epoch,
}

/// The text does not name a version of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version of a role: its id, a full stop and a number")]
pub struct RoleVersionError;

/// Its id, a full stop and the number of the edit: `rol_<32 hex>.1`.
impl fmt::Display for RoleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.epoch.get())
    }
}

impl FromStr for RoleVersion {
    type Err = RoleVersionError;

    fn from_str(text: &str) -> Result<Self, RoleVersionError> {
        let (id, number) = text.split_once('.').ok_or(RoleVersionError)?;
        let epoch: u32 = number.parse().map_err(|_| RoleVersionError)?;
        let version = Self {
            id: id.parse().map_err(|_| RoleVersionError)?,
            epoch: Epoch::new(epoch),
        };
        // A number has one spelling: "+1" and "01" are none.
        if version.to_string() == text {
            Ok(version)
        } else {
            Err(RoleVersionError)
        }
    }
}

/// A role that somebody picks, and the version of it that they looked at.
///
/// With a version, nothing is given if the role has another one by now: whoever
/// picked it has not seen what it permits. Built-in roles have no versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleChoice {
    /// The role.
    pub name: RoleName,
    /// The version that was looked at, if it matters.
    pub seen: Option<RoleVersion>,
}

impl RoleChoice {
    /// Whether the role, which has this version now, is as it was looked at.
    #[must_use]
    pub fn is_current(&self, now: Option<RoleVersion>) -> bool {
        self.seen.is_none() || self.seen == now
    }
}

/// The role, whatever its version.
impl From<RoleName> for RoleChoice {
    fn from(name: RoleName) -> Self {
        Self { name, seen: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Id as _, Timestamp};

    #[test]
    fn a_version_reads_back_and_has_one_spelling() {
        let version = RoleVersion {
            id: RoleId::from_random(Timestamp::UNIX_EPOCH, [7; 10]),
            epoch: Epoch::new(12),
        };
        let text = version.to_string();
        assert_eq!(text.parse(), Ok(version));
        let id = version.id;
        for bad in [
            String::new(),
            id.to_string(),
            format!("{id}."),
            format!("{id}.+1"),
            format!("{id}.01"),
            format!("{id}.4294967296"),
            format!("{id}.1.1"),
            text.replace("rol_", "run_"),
        ] {
            assert_eq!(bad.parse::<RoleVersion>(), Err(RoleVersionError), "{bad}");
        }
    }

    #[test]
    fn only_what_was_looked_at_is_picked() {
        let version = RoleVersion {
            id: RoleId::from_random(Timestamp::UNIX_EPOCH, [7; 10]),
            epoch: Epoch::FIRST,
        };
        let next = RoleVersion {
            epoch: version.epoch.next(),
            ..version
        };
        let mut choice = RoleChoice::from(RoleName::VIEWER);
        assert!(choice.is_current(None) && choice.is_current(Some(version)));
        choice.seen = Some(version);
        assert!(choice.is_current(Some(version)));
        assert!(!choice.is_current(Some(next)) && !choice.is_current(None));
    }
}
