//! A session's access to an organization.

use super::{Membership, OrgPolicy, RoleVersion};

/// A person's membership with what a token of one of the person's sessions for it is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The organization and the person's place in it.
    pub membership: Membership,
    /// What the organization asks of sessions.
    pub policy: OrgPolicy,
    /// The version of the role, where the organization defined one of its name.
    pub version: Option<RoleVersion>,
    /// What became of the session's grant.
    pub grant: GrantState,
}

/// What became of a session's grant for an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantState {
    /// There was never one.
    Missing,
    /// The session has it.
    Live,
    /// The organization ended it; it stays ended for this session.
    Ended,
}
