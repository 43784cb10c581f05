//! Roles that an organization defines for itself.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::{RoleName, RoleVersion, Timestamp};

/// Most permissions that one role can name.
const MAX_NAMES: usize = 64;

/// The permissions of a role, by name: 1 to 64 of them, each of `a-z`, `0-9`, `_` and `:`.
///
/// Which names there are is the authorization crate's to say, through
/// [`RoleRules`](crate::ports::RoleRules); this crate keeps them as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionNames(BTreeSet<Box<str>>);

/// The text does not name the permissions of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the permissions of a role: 1 to 64 names of a-z, 0-9, _ and :")]
pub struct PermissionNamesError;

impl PermissionNames {
    /// Takes the names; one that comes twice counts once.
    ///
    /// # Errors
    ///
    /// [`PermissionNamesError`] if there are none or too many, or one is no name.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, PermissionNamesError> {
        let mut all = BTreeSet::new();
        for name in names {
            let well_formed = (1..=64).contains(&name.len())
                && name
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b':'));
            if !well_formed {
                return Err(PermissionNamesError);
            }
            all.insert(Box::from(name));
            if all.len() > MAX_NAMES {
                return Err(PermissionNamesError);
            }
        }
        if all.is_empty() {
            return Err(PermissionNamesError);
        }
        Ok(Self(all))
    }

    /// The names in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

/// As a database column holds them: in alphabetical order, one space between two.
impl fmt::Display for PermissionNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, name) in self.iter().enumerate() {
            if number > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl FromStr for PermissionNames {
    type Err = PermissionNamesError;

    fn from_str(text: &str) -> Result<Self, PermissionNamesError> {
        Self::new(text.split(' '))
    }
}

/// How far a role or a token reaches: sets of permissions that this crate can compare and not read.
///
/// A role may permit something under a condition. Whoever gives the role must
/// always hold all that it can come to, and whoever has it can hand on what it
/// always permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    always: u64,
    at_most: u64,
}

impl Reach {
    /// Nothing.
    pub const NOTHING: Self = Self::new(0);
    /// More than anyone holds, for what cannot be read: nobody hands it out.
    pub const BEYOND: Self = Self::new(u64::MAX);

    /// A set, one bit for each permission; the authorization crate says which.
    #[must_use]
    pub const fn new(bits: u64) -> Self {
        Self::within(bits, bits)
    }

    /// What is permitted always, and what is at the most under some condition.
    #[must_use]
    pub const fn within(always: u64, at_most: u64) -> Self {
        Self {
            always,
            at_most: always | at_most,
        }
    }

    /// What is permitted always, one bit for each permission.
    #[must_use]
    pub const fn always(self) -> u64 {
        self.always
    }

    /// What is permitted at the most, one bit for each permission.
    #[must_use]
    pub const fn at_most(self) -> u64 {
        self.at_most
    }

    /// Whether everything that `other` can come to is always in it.
    #[must_use]
    pub const fn is_superset(self, other: Self) -> bool {
        other.at_most & !self.always == 0
    }
}

/// What somebody holds, or is to be given: a role and how far it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The role.
    pub role: RoleName,
    /// How far it reaches; less than the role where its holder narrowed the token.
    pub reach: Reach,
}

impl Authority {
    /// Whether its holder may give, take or change `other`.
    ///
    /// Everything that `other` reaches, the holder reaches; and owners are made
    /// and unmade by owners only.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        (other.role != RoleName::OWNER || self.role == RoleName::OWNER)
            && self.reach.is_superset(other.reach)
    }
}

/// A role that an organization defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    /// Which version of which role.
    pub version: RoleVersion,
    /// Its name, unique in the organization and none of a built-in role.
    pub name: RoleName,
    /// What it permits.
    pub permissions: PermissionNames,
    /// When it was defined.
    pub created_at: Timestamp,
    /// When this version was made.
    pub updated_at: Timestamp,
}

/// Who uses a role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleUse {
    /// How many members.
    pub members: u32,
    /// How many service accounts.
    pub service_accounts: u32,
    /// How many open invitations.
    pub invitations: u32,
}

impl RoleUse {
    /// Whether anybody does.
    #[must_use]
    pub const fn any(self) -> bool {
        self.members > 0 || self.service_accounts > 0 || self.invitations > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(role: &RoleName, bits: u64) -> Authority {
        Authority {
            role: role.clone(),
            reach: Reach::new(bits),
        }
    }

    #[test]
    fn names_have_one_order_and_one_spelling() {
        let names = PermissionNames::new(["runs:read", "org:read", "runs:read"]).unwrap();
        assert_eq!(names.to_string(), "org:read runs:read");
        assert_eq!(names.to_string().parse(), Ok(names));
        for bad in [
            "",
            " ",
            "org:read ",
            "Org:read",
            "org:read  runs:read",
            "a-b",
        ] {
            assert!(bad.parse::<PermissionNames>().is_err(), "{bad:?}");
        }
        let many: Vec<_> = (0..65).map(|n| format!("p:{n}")).collect();
        assert!(PermissionNames::new(many.iter().map(String::as_str)).is_err());
    }

    #[test]
    fn nobody_covers_more_than_they_reach_and_owners_are_made_by_owners() {
        let custom: RoleName = "triage".parse().unwrap();
        let owner = authority(&RoleName::OWNER, 0b111);
        let admin = authority(&RoleName::ADMIN, 0b111);
        let some = authority(&custom, 0b011);
        assert!(owner.covers(&owner) && owner.covers(&admin) && admin.covers(&some));
        assert!(!admin.covers(&owner) && !some.covers(&admin));
        assert!(!owner.covers(&authority(&custom, Reach::BEYOND.always())));
        let sometimes = Authority {
            role: custom,
            reach: Reach::within(0b001, 0b011),
        };
        assert!(some.covers(&sometimes) && !sometimes.covers(&sometimes));
        let narrowed = authority(&RoleName::OWNER, 0b001);
        assert!(!narrowed.covers(&owner) && !narrowed.covers(&some));
    }
}
