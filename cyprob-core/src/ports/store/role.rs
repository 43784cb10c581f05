//! Roles that organizations define.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    CustomRole, OrgCtx, OrgId, Page, PageRequest, PermissionNames, RevocationEntry, RoleId,
    RoleName, RoleUse, RoleVersion, Timestamp,
};

/// How many roles one organization can define.
pub const MAX_ROLES: usize = 100;

/// What became of a new role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateRoleOutcome {
    /// It is defined.
    Created,
    /// The organization has one of this name, or somebody there has a role by this name that is gone. Nothing changed.
    NameTaken,
    /// The organization has as many as it can. Nothing changed.
    TooMany,
}

/// Another set of permissions for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleEdit {
    /// The version that the caller's right was checked against; another one loses the race.
    pub from: RoleVersion,
    /// What it permits from now on.
    pub permissions: PermissionNames,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// What became of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditRoleOutcome {
    /// The next version is in force; the end of the tokens in older ones is stored, to be published.
    Edited(RevocationEntry),
    /// The role has another version by now, or is gone. Nothing changed.
    Raced,
}

/// The end of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleDeletion {
    /// The version that the caller's right was checked against; another one loses the race.
    pub from: RoleVersion,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// What became of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteRoleOutcome {
    /// It is gone; the end of its tokens is stored, to be published.
    Deleted(RevocationEntry),
    /// Somebody has it, or is invited into it. Nothing changed.
    InUse(RoleUse),
    /// The role has another version by now, or is gone. Nothing changed.
    Raced,
}

/// Roles that organizations define.
///
/// Who is given such a role is given one version of it: a change that names a
/// [`RoleVersion`] takes effect only if that version is the one in force.
#[async_trait]
pub trait RoleStore: Debug + Send + Sync + 'static {
    /// The organization's own roles, oldest first (cursor: the id's bytes).
    async fn roles(&self, org: &OrgCtx, page: &PageRequest)
    -> Result<Page<CustomRole>, StoreError>;

    /// The organization's own role of this name.
    async fn role(&self, org: &OrgCtx, name: &RoleName) -> Result<Option<CustomRole>, StoreError>;

    /// The organization's own role of this id.
    async fn role_by_id(&self, org: &OrgCtx, id: RoleId) -> Result<Option<CustomRole>, StoreError>;

    /// The role of this name, for one who has no access token yet: a membership, an invitation or a key is the proof.
    async fn role_in(&self, org: OrgId, name: &RoleName) -> Result<Option<CustomRole>, StoreError>;

    /// Defines a role; an organization has at most [`MAX_ROLES`].
    async fn create_role(
        &self,
        org: &OrgCtx,
        role: &CustomRole,
        events: &[AuditEvent],
    ) -> Result<CreateRoleOutcome, StoreError>;

    /// Makes the next version of a role and stores the revocation of those before it, in one step.
    async fn edit_role(
        &self,
        org: &OrgCtx,
        edit: &RoleEdit,
        events: &[AuditEvent],
    ) -> Result<EditRoleOutcome, StoreError>;

    /// Deletes a role that no member, no service account and no invitation open at `at` has.
    async fn delete_role(
        &self,
        org: &OrgCtx,
        deletion: &RoleDeletion,
        events: &[AuditEvent],
    ) -> Result<DeleteRoleOutcome, StoreError>;
}
