//! Roles that organizations define.

use async_trait::async_trait;

use super::state::{State, broken, page};
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    CustomRole, InvitationState, OrgCtx, OrgId, Page, PageRequest, Revocation, RevocationEntry,
    RoleId, RoleName, RoleUse, RoleVersion, Timestamp,
};
use crate::ports::store::{
    CreateRoleOutcome, DeleteRoleOutcome, EditRoleOutcome, MAX_ROLES, RoleDeletion, RoleEdit,
    RoleStore, StoreError,
};

pub(super) fn named<'a>(state: &'a State, org: OrgId, name: &RoleName) -> Option<&'a CustomRole> {
    let mut own = state.roles.iter().filter(|((of, _), _)| *of == org);
    own.find(|(_, role)| role.name == *name)
        .map(|(_, role)| role)
}

fn uses(state: &State, org: OrgId, name: &RoleName, at: Timestamp) -> RoleUse {
    let members = state
        .memberships
        .iter()
        .filter(|((of, _), place)| *of == org && !place.ended && place.role == *name);
    let accounts = state.service_accounts.iter();
    let accounts = accounts.filter(|((of, _), account)| *of == org && account.role == *name);
    let invitations = state.invitations.iter().filter(|((of, _), invitation)| {
        *of == org && invitation.role == *name && invitation.state(at) == InvitationState::Open
    });
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    RoleUse {
        members: count(members.count()),
        service_accounts: count(accounts.count()),
        invitations: count(invitations.count()),
    }
}

fn ended(org: OrgId, next: RoleVersion, expires_at: Timestamp) -> RevocationEntry {
    RevocationEntry {
        what: Revocation::Role(org, next.id, next.epoch),
        expires_at,
    }
}

const fn next(version: RoleVersion) -> RoleVersion {
    RoleVersion {
        id: version.id,
        epoch: version.epoch.next(),
    }
}

#[async_trait]
impl RoleStore for MemoryStore {
    async fn roles(
        &self,
        org: &OrgCtx,
        request: &PageRequest,
    ) -> Result<Page<CustomRole>, StoreError> {
        Ok(self.read(|state| {
            let own = state.roles.iter();
            let own = own
                .filter(|((of, _), _)| *of == org.org())
                .map(|(_, role)| role.clone());
            page(own, request, |role| *role.version.id.as_bytes())
        }))
    }

    async fn role(&self, org: &OrgCtx, name: &RoleName) -> Result<Option<CustomRole>, StoreError> {
        Ok(self.read(|state| named(state, org.org(), name).cloned()))
    }

    async fn role_by_id(&self, org: &OrgCtx, id: RoleId) -> Result<Option<CustomRole>, StoreError> {
        Ok(self.read(|state| state.roles.get(&(org.org(), id)).cloned()))
    }

    async fn role_in(&self, org: OrgId, name: &RoleName) -> Result<Option<CustomRole>, StoreError> {
        Ok(self.read(|state| named(state, org, name).cloned()))
    }

    async fn create_role(
        &self,
        org: &OrgCtx,
        role: &CustomRole,
        events: &[AuditEvent],
    ) -> Result<CreateRoleOutcome, StoreError> {
        let org = org.org();
        self.write(|state| {
            if !state.orgs.contains_key(&org) {
                return Err(broken("a role's organization exists"));
            }
            if named(state, org, &role.name).is_some()
                || uses(state, org, &role.name, role.created_at).any()
            {
                return Ok(CreateRoleOutcome::NameTaken);
            }
            let count = state.roles.keys().filter(|(of, _)| *of == org).count();
            if count >= MAX_ROLES {
                return Ok(CreateRoleOutcome::TooMany);
            }
            state.outbox.admit(events)?;
            state.roles.insert((org, role.version.id), role.clone());
            state.outbox.record(events);
            Ok(CreateRoleOutcome::Created)
        })
    }

    async fn edit_role(
        &self,
        org: &OrgCtx,
        edit: &RoleEdit,
        events: &[AuditEvent],
    ) -> Result<EditRoleOutcome, StoreError> {
        let org = org.org();
        self.write(|state| {
            state.outbox.admit(events)?;
            let role = state.roles.get_mut(&(org, edit.from.id));
            let Some(role) = role.filter(|role| role.version == edit.from) else {
                return Ok(EditRoleOutcome::Raced);
            };
            role.version = next(edit.from);
            role.permissions = edit.permissions.clone();
            role.updated_at = edit.at;
            let entry = ended(org, role.version, edit.tokens_expire_at);
            state.revocations.push(entry);
            state.outbox.record(events);
            Ok(EditRoleOutcome::Edited(entry))
        })
    }

    async fn delete_role(
        &self,
        org: &OrgCtx,
        deletion: &RoleDeletion,
        events: &[AuditEvent],
    ) -> Result<DeleteRoleOutcome, StoreError> {
        let org = org.org();
        self.write(|state| {
            state.outbox.admit(events)?;
            let key = (org, deletion.from.id);
            let role = state.roles.get(&key);
            let Some(role) = role.filter(|role| role.version == deletion.from) else {
                return Ok(DeleteRoleOutcome::Raced);
            };
            let used = uses(state, org, &role.name, deletion.at);
            if used.any() {
                return Ok(DeleteRoleOutcome::InUse(used));
            }
            let entry = ended(org, next(deletion.from), deletion.tokens_expire_at);
            state.roles.remove(&key);
            state.revocations.push(entry);
            state.outbox.record(events);
            Ok(DeleteRoleOutcome::Deleted(entry))
        })
    }
}
