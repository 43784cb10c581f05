//! Who belongs to an organization, and who is asked to.

use super::{
    DisplayName, Email, Epoch, InvitationId, OrgId, OrgSlug, RoleName, ServiceAccountId, Timestamp,
    TokenDigest, UserId,
};

/// One person's place in one organization, seen from the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub org: OrgId,
    /// Its short name.
    pub slug: OrgSlug,
    /// The person's role in it.
    pub role: RoleName,
    /// Ends the organization's tokens of this person when it grows.
    pub epoch: Epoch,
}

/// One person's place in one organization, seen from the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user: UserId,
    /// The person's sign-in name.
    pub email: Email,
    /// The person's name.
    pub name: DisplayName,
    /// The role.
    pub role: RoleName,
    /// Since when.
    pub since: Timestamp,
    /// Whether the person's account is switched off: nothing works until it is on again.
    pub disabled: bool,
}

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvitationState {
    /// It can be accepted until it expires.
    Open,
    /// It was accepted.
    Accepted,
    /// It was withdrawn.
    Revoked,
    /// Its time has passed.
    Expired,
}

impl InvitationState {
    /// The name in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

/// Who invites, and is asked again when the invitation is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inviter {
    /// The deployment's administrator, who made the organization.
    Deployment,
    /// A member.
    User(UserId),
    /// A service account of the organization.
    Service(ServiceAccountId),
}

impl Inviter {
    /// The member who invites, if it is one.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Deployment | Self::Service(_) => None,
        }
    }
}

/// An offer of a role in an organization to the holder of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The organization.
    pub org: OrgId,
    /// To whom.
    pub email: Email,
    /// In which role.
    pub role: RoleName,
    /// Who invites.
    pub inviter: Inviter,
    /// The hash of the token that accepts it.
    pub token: TokenDigest,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// When it was accepted, if it was.
    pub accepted_at: Option<Timestamp>,
    /// When it was withdrawn, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Invitation {
    /// Where it stands at a time.
    #[must_use]
    pub fn state(&self, at: Timestamp) -> InvitationState {
        if self.accepted_at.is_some() {
            InvitationState::Accepted
        } else if self.revoked_at.is_some() {
            InvitationState::Revoked
        } else if at < self.expires_at {
            InvitationState::Open
        } else {
            InvitationState::Expired
        }
    }
}
