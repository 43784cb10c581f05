//! Organizations.

use super::{DisplayName, OrgId, OrgSlug, Timestamp};

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrgId,
    /// Its short name, unique in the deployment.
    pub slug: OrgSlug,
    /// Its name for people.
    pub name: DisplayName,
    /// Its rules for those who sign in to it.
    pub policy: OrgPolicy,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an organization asks of its members' sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrgPolicy {
    /// Longest time since the sign-in, in seconds, at which a token of the organization is still given; none: the deployment's bound alone.
    pub max_session_seconds: Option<u32>,
    /// Whether a token of the organization is only given to a session that has shown a second factor.
    pub factor_required: bool,
}
