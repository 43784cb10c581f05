//! What a transaction may see, as the database itself is told.

use crate::domain::{OrgId, UserId};

/// What a transaction may see and change of the data of organizations.
///
/// PostgreSQL holds every statement to it by row level security: without an
/// organization, a person or a reason, none of those rows exist. SQLite has no
/// such thing; there the statements' own `org_id = $1` is what binds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    org: Option<OrgId>,
    user: Option<UserId>,
    system: Option<&'static str>,
}

impl Scope {
    /// Nothing of any organization.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            org: None,
            user: None,
            system: None,
        }
    }

    /// One organization.
    #[must_use]
    pub const fn org(org: OrgId) -> Self {
        Self {
            org: Some(org),
            ..Self::none()
        }
    }

    /// A person's own memberships, to look at.
    #[must_use]
    pub const fn user(user: UserId) -> Self {
        Self {
            user: Some(user),
            ..Self::none()
        }
    }

    /// One organization, and a person's own memberships.
    #[must_use]
    pub const fn user_in(user: UserId, org: Option<OrgId>) -> Self {
        Self {
            org,
            user: Some(user),
            system: None,
        }
    }

    /// All organizations, for a stated reason.
    #[must_use]
    pub const fn system(reason: &'static str) -> Self {
        Self {
            system: Some(reason),
            ..Self::none()
        }
    }

    /// The organization.
    #[must_use]
    pub const fn of_org(&self) -> Option<OrgId> {
        self.org
    }

    /// The person.
    #[must_use]
    pub const fn of_user(&self) -> Option<UserId> {
        self.user
    }

    /// Why all organizations are seen.
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        self.system
    }
}
