//! What ends access tokens before their time.

use super::{Epoch, KeyId, OrgId, RoleId, ServiceAccountId, SessionId, Timestamp, UserId};

/// A fact that ends access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// All tokens of a session.
    Session(SessionId),
    /// A session's tokens for one organization.
    Grant(SessionId, OrgId),
    /// All tokens of a person that carry an older epoch.
    User(UserId, Epoch),
    /// A person's tokens for one organization that carry an older epoch.
    Member(OrgId, UserId, Epoch),
    /// All tokens of sessions that were opened up to a time (whole milliseconds), but those of
    /// one session; for an organization, the sessions' tokens for it.
    Opened(Whose, Timestamp, Option<SessionId>),
    /// All tokens in older versions of a role that an organization defined.
    Role(OrgId, RoleId, Epoch),
    /// A service account's tokens that carry an older epoch.
    Service(OrgId, ServiceAccountId, Epoch),
    /// The tokens that a service account's key was exchanged for.
    ServiceKey(OrgId, KeyId),
}

/// Whose sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whose {
    /// Everybody's.
    Everyone,
    /// One person's.
    User(UserId),
    /// Those with access to an organization.
    Org(OrgId),
}

/// A revocation with the time after which no token is left that it could end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RevocationEntry {
    /// What is revoked.
    pub what: Revocation,
    /// When the last token it could end expires; it may be dropped then.
    pub expires_at: Timestamp,
}
