//! Invitations.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use super::orgs::sql_limit;
use super::row::Columns;
use super::store::SqliteStore;
use super::tx::Write;
use super::{members, sql, users};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Invitation, InvitationId, OrgCtx, OrgId, Page, PageRequest, Timestamp, TokenDigest,
};
use crate::ports::store::{Acceptance, AcceptanceOutcome, InvitationStore, Invitee, StoreError};

fn invitation(row: &SqliteRow) -> Result<Invitation, StoreError> {
    let row = Columns::of(row, "invitations");
    let token = row.read("token", |bytes: &[u8]| <[u8; 32]>::try_from(bytes).ok())?;
    Ok(Invitation {
        id: row.id("id")?,
        org: row.id("org_id")?,
        email: row.parse("email")?,
        role: row.parse("role")?,
        inviter: row.optional_id("inviter")?,
        token: TokenDigest::from_bytes(token),
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        accepted_at: row.optional_time("accepted_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}

pub(super) async fn insert(
    write: &mut Write,
    org: OrgId,
    invitation: &Invitation,
) -> Result<(), StoreError> {
    sqlx::query(sql::TENANT_INSERT_INVITATION)
        .bind(org.as_bytes().as_slice())
        .bind(invitation.id.as_bytes().as_slice())
        .bind(invitation.email.as_str())
        .bind(invitation.role.as_str())
        .bind(
            invitation
                .inviter
                .as_ref()
                .map(|user| user.as_bytes().as_slice()),
        )
        .bind(invitation.token.as_bytes().as_slice())
        .bind(invitation.created_at.as_micros())
        .bind(invitation.expires_at.as_micros())
        .execute(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    Ok(())
}

#[async_trait]
impl InvitationStore for SqliteStore {
    async fn invite(
        &self,
        org: &OrgCtx,
        invitation: &Invitation,
        events: &[AuditEvent],
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        insert(&mut write, org.org(), invitation).await?;
        write.record(events).await?;
        write.commit().await
    }

    async fn invitations(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<Invitation>, StoreError> {
        let rows = sqlx::query(sql::TENANT_INVITATIONS)
            .bind(org.org().as_bytes().as_slice())
            .bind(page.after().unwrap_or_default())
            .bind(sql_limit(page))
            .fetch_all(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        let invitations = rows.iter().map(invitation).collect::<Result<_, _>>()?;
        Ok(Page::cut(invitations, page, |invitation| {
            invitation.id.as_bytes().to_vec()
        }))
    }

    async fn revoke_invitation(
        &self,
        org: &OrgCtx,
        id: InvitationId,
        at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let revoked = sqlx::query(sql::TENANT_REVOKE_INVITATION)
            .bind(org.org().as_bytes().as_slice())
            .bind(id.as_bytes().as_slice())
            .bind(at.as_micros())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        if revoked.rows_affected() == 0 {
            return Ok(false);
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn invitation_by_token(
        &self,
        token: &TokenDigest,
    ) -> Result<Option<Invitation>, StoreError> {
        let row = sqlx::query(sql::INVITATION_BY_TOKEN)
            .bind(token.as_bytes().as_slice())
            .fetch_optional(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        row.as_ref().map(invitation).transpose()
    }

    async fn accept(
        &self,
        acceptance: &Acceptance,
        events: &[AuditEvent],
    ) -> Result<AcceptanceOutcome, StoreError> {
        let mut write = self.write().await?;
        let row = sqlx::query(sql::INVITATION_BY_TOKEN)
            .bind(acceptance.token.as_bytes().as_slice())
            .fetch_optional(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        let found = row.as_ref().map(invitation).transpose()?;
        let Some(found) = found.filter(|found| found.id == acceptance.invitation) else {
            return Ok(AcceptanceOutcome::Gone);
        };
        let used = sqlx::query(sql::TENANT_USE_INVITATION)
            .bind(found.org.as_bytes().as_slice())
            .bind(found.id.as_bytes().as_slice())
            .bind(acceptance.at.as_micros())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        if used.rows_affected() == 0 {
            return Ok(AcceptanceOutcome::Gone);
        }
        let user = match &acceptance.invitee {
            Invitee::Existing(user) => *user,
            Invitee::New(user) => {
                if users::email_taken(&mut write, &user.email).await? {
                    return Ok(AcceptanceOutcome::EmailTaken);
                }
                users::insert(&mut write, user).await?;
                user.id
            }
        };
        if !members::join(&mut write, found.org, user, &found.role, acceptance.at).await? {
            return Ok(AcceptanceOutcome::AlreadyMember);
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(AcceptanceOutcome::Accepted)
    }
}
