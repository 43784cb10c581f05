//! Invitations.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Invitation, InvitationId, OrgCtx, Page, PageRequest, RoleVersion, Timestamp, TokenDigest, User,
    UserId,
};

/// Who accepts an invitation.
#[derive(Clone, Debug)]
pub enum Invitee {
    /// A person without an account, who gets this one.
    New(Box<User>),
    /// A person with an account.
    Existing(UserId),
}

/// An acceptance.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// The invitation, as it was checked.
    pub invitation: InvitationId,
    /// The digest of the token that was shown.
    pub token: TokenDigest,
    /// The version of the invitation's role, where the organization defined it; another one loses the race.
    pub version: Option<RoleVersion>,
    /// Who accepts.
    pub invitee: Invitee,
    /// Now.
    pub at: Timestamp,
}

/// What became of an acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AcceptanceOutcome {
    /// The person is a member now.
    Accepted,
    /// The invitation is not open any more, or the token is not its. Nothing changed.
    Gone,
    /// An account with the address exists by now. Nothing changed.
    EmailTaken,
    /// The person is a member already. Nothing changed.
    AlreadyMember,
    /// The role has another version by now, or is gone. Nothing changed.
    RoleChanged,
}

/// Invitations into organizations.
#[async_trait]
pub trait InvitationStore: Debug + Send + Sync + 'static {
    /// Stores an invitation of the caller's organization.
    async fn invite(
        &self,
        org: &OrgCtx,
        invitation: &Invitation,
        events: &[AuditEvent],
    ) -> Result<(), StoreError>;

    /// The organization's invitations, oldest first, whatever their state (cursor: the id's bytes).
    async fn invitations(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<Invitation>, StoreError>;

    /// Withdraws an open invitation; `false` if there is none such that is open.
    async fn revoke_invitation(
        &self,
        org: &OrgCtx,
        id: InvitationId,
        at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError>;

    /// The invitation that a token belongs to, whatever its state. The token is the proof; no tenant is known yet.
    async fn invitation_by_token(
        &self,
        token: &TokenDigest,
    ) -> Result<Option<Invitation>, StoreError>;

    /// Uses an invitation up and makes the membership, and the account if it is new, in one step.
    async fn accept(
        &self,
        acceptance: &Acceptance,
        events: &[AuditEvent],
    ) -> Result<AcceptanceOutcome, StoreError>;
}
