//! Roles that organizations define.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, revocations, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    CustomRole, Epoch, OrgCtx, OrgId, Page, PageRequest, Revocation, RevocationEntry, RoleId,
    RoleName, RoleUse, RoleVersion, Timestamp,
};
use crate::ports::store::{
    CreateRoleOutcome, DeleteRoleOutcome, EditRoleOutcome, MAX_ROLES, RoleDeletion, RoleEdit,
    RoleStore, StoreError,
};

fn role<B: Backend>(row: &B::Row) -> Result<CustomRole, StoreError> {
    let row = Columns::of(row, "roles");
    Ok(CustomRole {
        version: RoleVersion {
            id: row.id("id")?,
            epoch: row.epoch("epoch")?,
        },
        name: row.parse("name")?,
        permissions: row.parse("permissions")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// Whether a role that was checked in some version is still at it, and stays at it until the end; a built-in one always is.
pub(super) async fn is_at<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    version: Option<RoleVersion>,
) -> Result<bool, StoreError> {
    let Some(version) = version else {
        return Ok(true);
    };
    let args = [org.into(), version.id.into(), version.epoch.into()];
    let row = write.fetch_optional(&sql::TENANT_ROLE_AT, &args).await?;
    Ok(row.is_some())
}

/// Who has a role by this name, invitations open at a time among them.
async fn role_use<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    name: &RoleName,
    at: Timestamp,
) -> Result<RoleUse, StoreError> {
    let args = [org.into(), name.as_str().into(), at.into()];
    let row = write.fetch_optional(&sql::TENANT_ROLE_USE, &args).await?;
    let Some(row) = &row else {
        return Ok(RoleUse::default());
    };
    let row = Columns::of(row, "roles");
    Ok(RoleUse {
        members: row.u32("members")?,
        service_accounts: row.u32("service_accounts")?,
        invitations: row.u32("invitations")?,
    })
}

/// Stores the end of a role's tokens up to a version.
async fn ended<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    role: RoleId,
    next: Epoch,
    expires_at: Timestamp,
) -> Result<RevocationEntry, StoreError> {
    let entry = RevocationEntry {
        what: Revocation::Role(org, role, next),
        expires_at,
    };
    revocations::insert(write, &entry).await?;
    Ok(entry)
}

impl<B: Backend> SqlStore<B> {
    async fn role_of(
        &self,
        org: OrgId,
        statement: &super::Statement,
        key: Arg<'_>,
    ) -> Result<Option<CustomRole>, StoreError> {
        let mut read = self.reading(Scope::org(org)).await?;
        let row = read.fetch_optional(statement, &[org.into(), key]).await?;
        row.as_ref().map(role::<B>).transpose()
    }
}

#[async_trait]
impl<B: Backend> RoleStore for SqlStore<B> {
    async fn roles(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<CustomRole>, StoreError> {
        let args = [org.org().into(), Arg::after(page), Arg::limit(page)];
        let mut read = self.reading(Scope::org(org.org())).await?;
        let rows = read.fetch_all(&sql::TENANT_ROLES, &args).await?;
        let roles = rows.iter().map(role::<B>).collect::<Result<_, _>>()?;
        Ok(Page::cut(roles, page, |role| {
            role.version.id.as_bytes().to_vec()
        }))
    }

    async fn role(&self, org: &OrgCtx, name: &RoleName) -> Result<Option<CustomRole>, StoreError> {
        let key = name.as_str().into();
        self.role_of(org.org(), &sql::TENANT_ROLE, key).await
    }

    async fn role_by_id(&self, org: &OrgCtx, id: RoleId) -> Result<Option<CustomRole>, StoreError> {
        self.role_of(org.org(), &sql::TENANT_ROLE_BY_ID, id.into())
            .await
    }

    async fn role_in(&self, org: OrgId, name: &RoleName) -> Result<Option<CustomRole>, StoreError> {
        let key = name.as_str().into();
        self.role_of(org, &sql::TENANT_ROLE, key).await
    }

    async fn create_role(
        &self,
        org: &OrgCtx,
        role: &CustomRole,
        events: &[AuditEvent],
    ) -> Result<CreateRoleOutcome, StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        let org = org.org();
        // Of many at once, each must count those before it.
        write.lock(&sql::LOCK_ORG, &[org.into()]).await?;
        let used = role_use(&mut write, org, &role.name, role.created_at).await?;
        if used.any() {
            return Ok(CreateRoleOutcome::NameTaken);
        }
        let args = [
            org.into(),
            role.version.id.into(),
            role.name.as_str().into(),
            role.permissions.to_string().into(),
            role.version.epoch.into(),
            role.created_at.into(),
            role.updated_at.into(),
        ];
        if write.execute(&sql::TENANT_INSERT_ROLE, &args).await? == 0 {
            return Ok(CreateRoleOutcome::NameTaken);
        }
        let row = write
            .fetch_optional(&sql::TENANT_COUNT_ROLES, &[org.into()])
            .await?;
        if count::<B>(row.as_ref(), "roles")? > MAX_ROLES {
            return Ok(CreateRoleOutcome::TooMany);
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(CreateRoleOutcome::Created)
    }

    async fn edit_role(
        &self,
        org: &OrgCtx,
        edit: &RoleEdit,
        events: &[AuditEvent],
    ) -> Result<EditRoleOutcome, StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        let (org, from) = (org.org(), edit.from);
        let args = [
            org.into(),
            from.id.into(),
            from.epoch.into(),
            edit.permissions.to_string().into(),
            edit.at.into(),
        ];
        if write.execute(&sql::TENANT_EDIT_ROLE, &args).await? == 0 {
            return Ok(EditRoleOutcome::Raced);
        }
        let next = from.epoch.next();
        let entry = ended(&mut write, org, from.id, next, edit.tokens_expire_at).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(EditRoleOutcome::Edited(entry))
    }

    async fn delete_role(
        &self,
        org: &OrgCtx,
        deletion: &RoleDeletion,
        events: &[AuditEvent],
    ) -> Result<DeleteRoleOutcome, StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        let (org, from) = (org.org(), deletion.from);
        // Whoever gives the role waits for the end, or is counted.
        let key = [org.into(), from.id.into(), from.epoch.into()];
        let row = write.fetch_optional(&sql::TENANT_LOCK_ROLE, &key).await?;
        let Some(row) = row else {
            return Ok(DeleteRoleOutcome::Raced);
        };
        let name: RoleName = Columns::of(&row, "roles").parse("name")?;
        let used = role_use(&mut write, org, &name, deletion.at).await?;
        if used.any() {
            return Ok(DeleteRoleOutcome::InUse(used));
        }
        let key = [org.into(), from.id.into()];
        write.execute(&sql::TENANT_DELETE_ROLE, &key).await?;
        let next = from.epoch.next();
        let entry = ended(&mut write, org, from.id, next, deletion.tokens_expire_at).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(DeleteRoleOutcome::Deleted(entry))
    }
}

/// The number in a row of one count.
pub(super) fn count<B: Backend>(
    row: Option<&B::Row>,
    table: &'static str,
) -> Result<usize, StoreError> {
    let Some(row) = row else { return Ok(0) };
    Columns::of(row, table).read("number", |number: i64| usize::try_from(number).ok())
}
