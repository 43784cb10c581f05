//! Memberships.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Member, OrgCtx, Page, PageRequest, RevocationEntry, RoleName, RoleVersion, Timestamp, UserId,
};

/// A change of a member's role, or the end of the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleChange {
    /// Whose.
    pub user: UserId,
    /// The role that the caller's right was checked against; another one loses the race.
    pub from: RoleName,
    /// The new role; `None` ends the membership.
    pub to: Option<RoleName>,
    /// The version of the new role, where the organization defined it; another one loses the race.
    pub version: Option<RoleVersion>,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// What became of a role change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberOutcome {
    /// It is in force; the revocation is stored, to be published.
    Changed(RevocationEntry),
    /// The member has another role by now, or is none, or the new role has another version. Nothing changed.
    Raced,
    /// The organization would be left without an owner. Nothing changed.
    LastOwner,
}

/// Memberships of one organization.
#[async_trait]
pub trait MemberStore: Debug + Send + Sync + 'static {
    /// The organization's members, oldest account first (cursor: the user id's bytes).
    async fn members(&self, org: &OrgCtx, page: &PageRequest) -> Result<Page<Member>, StoreError>;

    /// One member.
    async fn member(&self, org: &OrgCtx, user: UserId) -> Result<Option<Member>, StoreError>;

    /// Changes a role or ends a membership, grows the membership's epoch and stores the
    /// revocation, in one step. The epoch outlives the membership: a person who comes back gets a
    /// greater one. Ending a membership ends the person's grants for the organization's list too.
    async fn change_role(
        &self,
        org: &OrgCtx,
        change: &RoleChange,
        events: &[AuditEvent],
    ) -> Result<MemberOutcome, StoreError>;
}
