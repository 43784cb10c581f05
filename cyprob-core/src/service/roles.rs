//! Roles that an organization defines.

use super::Identity;
use crate::domain::audit::{Action, AuditEvent, MetaValue, Resource};
use crate::domain::{
    Authority, CustomRole, Epoch, OrgCtx, Page, PageRequest, PermissionNames, Reach, RoleChoice,
    RoleName, RoleUse, RoleVersion, Timestamp,
};
use crate::ports::EntropyExt;
use crate::ports::store::{
    CreateRoleOutcome, DeleteRoleOutcome, EditRoleOutcome, RoleDeletion, RoleEdit, StoreError,
};

/// Why a role was not defined, changed or deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoleError {
    /// The organization has no role of its own of this name.
    #[error("no such role")]
    NotFound,
    /// The name is that of a role of the deployment, which no organization changes.
    #[error("a role of the deployment cannot be changed")]
    Builtin,
    /// The organization has a role of this name.
    #[error("the name is taken")]
    NameTaken,
    /// A permission is not in the catalogue.
    #[error("no such permission")]
    UnknownPermission,
    /// The role permits more than the caller holds, or did before.
    #[error("the role permits more than the caller's own")]
    Forbidden,
    /// The organization has as many roles as it can.
    #[error("too many roles")]
    TooMany,
    /// Somebody has the role, or is invited into it.
    #[error("the role is in use")]
    InUse(RoleUse),
    /// The role changed meanwhile; nothing of this took effect.
    #[error("the role changed meanwhile")]
    Raced,
    /// The store failed.
    #[error("the role could not be read or stored")]
    Store(#[from] StoreError),
}

impl Identity {
    /// The organization's own roles, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn roles(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<CustomRole>, StoreError> {
        self.store().roles(org, page).await
    }

    /// Defines a role; it can permit no more than the caller holds.
    ///
    /// # Errors
    ///
    /// [`RoleError`]; nothing was defined.
    #[tracing::instrument(name = "core.role.create", skip_all, fields(org.id = %org.org()))]
    pub async fn create_role(
        &self,
        org: &OrgCtx,
        name: RoleName,
        permissions: PermissionNames,
    ) -> Result<CustomRole, RoleError> {
        if self.parts.roles.of_deployment(&name).is_some() {
            return Err(RoleError::Builtin);
        }
        self.may_define(org, &name, &permissions)?;
        let at = self.now();
        let role = CustomRole {
            version: RoleVersion {
                id: self.parts.entropy.id(at),
                epoch: Epoch::FIRST,
            },
            name,
            permissions,
            created_at: at,
            updated_at: at,
        };
        let event = self
            .role_event(org, at, Action::RoleCreated, &role)
            .with("permissions", MetaValue::public(&role.permissions));
        match self.store().create_role(org, &role, &[event]).await? {
            CreateRoleOutcome::Created => Ok(role),
            CreateRoleOutcome::NameTaken => Err(RoleError::NameTaken),
            CreateRoleOutcome::TooMany => Err(RoleError::TooMany),
        }
    }

    /// Changes what a role permits; every token in it stops working at once, and the next ones permit what it permits then.
    ///
    /// The caller must hold all that the role permits and is to permit: whoever
    /// has it, has it from the caller from now on. Of two who edit the version
    /// that both looked at, the second is refused. The same permissions again
    /// change nothing.
    ///
    /// # Errors
    ///
    /// [`RoleError`]; nothing was changed.
    #[tracing::instrument(name = "core.role.edit", skip_all, fields(org.id = %org.org()))]
    pub async fn edit_role(
        &self,
        org: &OrgCtx,
        role: impl Into<RoleChoice> + Send,
        permissions: PermissionNames,
    ) -> Result<CustomRole, RoleError> {
        let choice = role.into();
        let role = self.own_role(org, &choice.name).await?;
        self.may_define(org, &choice.name, &permissions)?;
        if !choice.is_current(Some(role.version)) {
            return Err(RoleError::Raced);
        }
        if role.permissions == permissions {
            return Ok(role);
        }
        let at = self.now();
        let edit = RoleEdit {
            from: role.version,
            permissions: permissions.clone(),
            at,
            tokens_expire_at: self.all_tokens_expire_at(at),
        };
        let event = self
            .role_event(org, at, Action::RoleEdited, &role)
            .with("from", MetaValue::public(&role.permissions))
            .with("to", MetaValue::public(&permissions));
        match self.store().edit_role(org, &edit, &[event]).await? {
            EditRoleOutcome::Edited(entry) => {
                self.publish(&[entry]);
                let version = RoleVersion {
                    id: role.version.id,
                    epoch: role.version.epoch.next(),
                };
                Ok(CustomRole {
                    version,
                    permissions,
                    updated_at: at,
                    ..role
                })
            }
            EditRoleOutcome::Raced => Err(RoleError::Raced),
        }
    }

    /// Deletes a role that nobody has and nobody is invited into.
    ///
    /// # Errors
    ///
    /// [`RoleError`]; nothing was deleted.
    #[tracing::instrument(name = "core.role.delete", skip_all, fields(org.id = %org.org()))]
    pub async fn delete_role(&self, org: &OrgCtx, name: &RoleName) -> Result<(), RoleError> {
        let role = self.own_role(org, name).await?;
        let at = self.now();
        let deletion = RoleDeletion {
            from: role.version,
            at,
            tokens_expire_at: self.all_tokens_expire_at(at),
        };
        let event = self.role_event(org, at, Action::RoleDeleted, &role);
        match self.store().delete_role(org, &deletion, &[event]).await? {
            DeleteRoleOutcome::Deleted(entry) => {
                self.publish(&[entry]);
                Ok(())
            }
            DeleteRoleOutcome::InUse(used) => Err(RoleError::InUse(used)),
            DeleteRoleOutcome::Raced => Err(RoleError::Raced),
        }
    }

    /// An organization's own role that the caller may change.
    async fn own_role(&self, org: &OrgCtx, name: &RoleName) -> Result<CustomRole, RoleError> {
        let Some(role) = self.store().role(org, name).await? else {
            let of_deployment = self.parts.roles.of_deployment(name);
            return Err(of_deployment.map_or(RoleError::NotFound, |_| RoleError::Builtin));
        };
        if self.holding(org).covers(&self.authority_in(&role)) {
            Ok(role)
        } else {
            Err(RoleError::Forbidden)
        }
    }

    fn may_define(
        &self,
        org: &OrgCtx,
        name: &RoleName,
        permissions: &PermissionNames,
    ) -> Result<(), RoleError> {
        let reach: Option<Reach> = self.parts.roles.reach(permissions);
        let defined = Authority {
            role: name.clone(),
            reach: reach.ok_or(RoleError::UnknownPermission)?,
        };
        if self.holding(org).covers(&defined) {
            Ok(())
        } else {
            Err(RoleError::Forbidden)
        }
    }

    fn role_event(
        &self,
        org: &OrgCtx,
        at: Timestamp,
        action: Action,
        role: &CustomRole,
    ) -> AuditEvent {
        let on = Resource::new("role", role.version.id);
        self.event(at, org.caller(), action, on)
            .in_org(org.org())
            .with("name", MetaValue::public(&role.name))
    }
}
