//! Memberships.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use super::orgs::sql_limit;
use super::row::Columns;
use super::store::SqliteStore;
use super::tx::Write;
use super::{revocations, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Member, OrgCtx, OrgId, Page, PageRequest, Revocation, RevocationEntry, RoleName, Timestamp,
    UserId,
};
use crate::ports::store::{MemberOutcome, MemberStore, RoleChange, StoreError};

fn member(row: &SqliteRow) -> Result<Member, StoreError> {
    let row = Columns::of(row, "memberships");
    Ok(Member {
        user: row.id("id")?,
        email: row.parse("email")?,
        name: row.parse("name")?,
        role: row.parse("role")?,
        since: row.time("since")?,
    })
}

/// Makes or revives a membership; `false` if there is a live one.
pub(super) async fn join(
    write: &mut Write,
    org: OrgId,
    user: UserId,
    role: &RoleName,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let joined = sqlx::query(sql::TENANT_JOIN)
        .bind(org.as_bytes().as_slice())
        .bind(user.as_bytes().as_slice())
        .bind(role.as_str())
        .bind(at.as_micros())
        .execute(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    Ok(joined.rows_affected() == 1)
}

/// Whether the organization has an owner besides this person.
async fn has_other_owner(write: &mut Write, org: OrgId, user: UserId) -> Result<bool, StoreError> {
    let row = sqlx::query(sql::TENANT_OTHER_OWNERS)
        .bind(org.as_bytes().as_slice())
        .bind(user.as_bytes().as_slice())
        .fetch_one(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    let owners: i64 = Columns::of(&row, "memberships").get("owners")?;
    Ok(owners > 0)
}

#[async_trait]
impl MemberStore for SqliteStore {
    async fn members(&self, org: &OrgCtx, page: &PageRequest) -> Result<Page<Member>, StoreError> {
        let rows = sqlx::query(sql::TENANT_MEMBERS)
            .bind(org.org().as_bytes().as_slice())
            .bind(page.after().unwrap_or_default())
            .bind(sql_limit(page))
            .fetch_all(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        let members = rows.iter().map(member).collect::<Result<_, _>>()?;
        Ok(Page::cut(members, page, |member| {
            member.user.as_bytes().to_vec()
        }))
    }

    async fn member(&self, org: &OrgCtx, user: UserId) -> Result<Option<Member>, StoreError> {
        let row = sqlx::query(sql::TENANT_MEMBER)
            .bind(org.org().as_bytes().as_slice())
            .bind(user.as_bytes().as_slice())
            .fetch_optional(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        row.as_ref().map(member).transpose()
    }

    async fn change_role(
        &self,
        org: &OrgCtx,
        change: &RoleChange,
        events: &[AuditEvent],
    ) -> Result<MemberOutcome, StoreError> {
        let mut write = self.write().await?;
        let (org, user) = (org.org(), change.user);
        let statement = match change.to {
            Some(_) => sql::TENANT_SET_ROLE,
            None => sql::TENANT_END_MEMBERSHIP,
        };
        let query = sqlx::query(statement)
            .bind(org.as_bytes().as_slice())
            .bind(user.as_bytes().as_slice())
            .bind(change.from.as_str());
        let query = match &change.to {
            Some(role) => query.bind(role.as_str()),
            None => query.bind(change.at.as_micros()),
        };
        let row = query
            .fetch_optional(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        let Some(row) = row else {
            return Ok(MemberOutcome::Raced);
        };
        let epoch = Columns::of(&row, "memberships").epoch("epoch")?;
        let leaves_owners =
            change.from == RoleName::OWNER && change.to.as_ref() != Some(&RoleName::OWNER);
        if leaves_owners && !has_other_owner(&mut write, org, user).await? {
            return Ok(MemberOutcome::LastOwner);
        }
        if change.to.is_none() {
            sqlx::query(sql::TENANT_END_GRANTS_OF_USER)
                .bind(org.as_bytes().as_slice())
                .bind(user.as_bytes().as_slice())
                .bind(change.at.as_micros())
                .execute(write.connection())
                .await
                .map_err(StoreError::unavailable)?;
        }
        let entry = RevocationEntry {
            what: Revocation::Member(org, user, epoch),
            expires_at: change.tokens_expire_at,
        };
        revocations::insert(&mut write, &entry).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(MemberOutcome::Changed(entry))
    }
}
