//! Memberships.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, revocations, roles, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Member, OrgCtx, OrgId, Page, PageRequest, Revocation, RevocationEntry, RoleName, Timestamp,
    UserId,
};
use crate::ports::store::{MemberOutcome, MemberStore, RoleChange, StoreError};

fn member<B: Backend>(row: &B::Row) -> Result<Member, StoreError> {
    let row = Columns::of(row, "memberships");
    Ok(Member {
        user: row.id("id")?,
        email: row.parse("email")?,
        name: row.parse("name")?,
        role: row.parse("role")?,
        since: row.time("since")?,
        disabled: row.optional_time("disabled_at")?.is_some(),
    })
}

/// Makes or revives a membership; `false` if there is a live one.
pub(super) async fn join<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    user: UserId,
    role: &RoleName,
    by: Option<UserId>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let joined = write
        .execute(
            &sql::TENANT_JOIN,
            &[org.into(), user.into(), role.as_str().into(), at.into()],
        )
        .await?;
    if joined == 1 {
        mark_changed(write, org, user, by, at).await?;
    }
    Ok(joined == 1)
}

/// Keeps who gave, changed or took a role last, and when.
async fn mark_changed<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    user: UserId,
    by: Option<UserId>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let args = [org.into(), user.into(), at.into(), by.into()];
    write.execute(&sql::TENANT_MARK_CHANGED, &args).await?;
    Ok(())
}

/// Whether the organization has an owner besides this person.
async fn has_other_owner<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    user: UserId,
) -> Result<bool, StoreError> {
    let rows = write
        .fetch_all(&sql::TENANT_OTHER_OWNERS, &[org.into(), user.into()])
        .await?;
    Ok(!rows.is_empty())
}

#[async_trait]
impl<B: Backend> MemberStore for SqlStore<B> {
    async fn members(&self, org: &OrgCtx, page: &PageRequest) -> Result<Page<Member>, StoreError> {
        let rows = self
            .reading(Scope::org(org.org()))
            .await?
            .fetch_all(
                &sql::TENANT_MEMBERS,
                &[org.org().into(), Arg::after(page), Arg::limit(page)],
            )
            .await?;
        let members = rows.iter().map(member::<B>).collect::<Result<_, _>>()?;
        Ok(Page::cut(members, page, |member| {
            member.user.as_bytes().to_vec()
        }))
    }

    async fn member(&self, org: &OrgCtx, user: UserId) -> Result<Option<Member>, StoreError> {
        let row = self
            .reading(Scope::org(org.org()))
            .await?
            .fetch_optional(&sql::TENANT_MEMBER, &[org.org().into(), user.into()])
            .await?;
        row.as_ref().map(member::<B>).transpose()
    }

    async fn change_role(
        &self,
        org: &OrgCtx,
        change: &RoleChange,
        events: &[AuditEvent],
    ) -> Result<MemberOutcome, StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        let by = org.caller().actor.user();
        let (org, user) = (org.org(), change.user);
        let statement = match change.to {
            Some(_) => &sql::TENANT_SET_ROLE,
            None => &sql::TENANT_END_MEMBERSHIP,
        };
        let to = match &change.to {
            Some(role) => role.as_str().into(),
            None => change.at.into(),
        };
        let args = [org.into(), user.into(), change.from.as_str().into(), to];
        // Of two owners who leave at once, one must see that the other is gone.
        write.lock(&sql::LOCK_ORG, &[org.into()]).await?;
        if !roles::is_at(&mut write, org, change.version).await? {
            return Ok(MemberOutcome::Raced);
        }
        let row = write.fetch_optional(statement, &args).await?;
        let Some(row) = row else {
            return Ok(MemberOutcome::Raced);
        };
        let epoch = Columns::of(&row, "memberships").epoch("epoch")?;
        let leaves_owners =
            change.from == RoleName::OWNER && change.to.as_ref() != Some(&RoleName::OWNER);
        if leaves_owners && !has_other_owner(&mut write, org, user).await? {
            return Ok(MemberOutcome::LastOwner);
        }
        mark_changed(&mut write, org, user, by, change.at).await?;
        if change.to.is_none() {
            write
                .execute(
                    &sql::TENANT_END_GRANTS_OF_USER,
                    &[org.into(), user.into(), change.at.into()],
                )
                .await?;
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
