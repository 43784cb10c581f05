//! Invitations.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, members, roles, sql, users};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Invitation, InvitationId, Inviter, OrgCtx, OrgId, Page, PageRequest, Timestamp, TokenDigest,
};
use crate::ports::store::{Acceptance, AcceptanceOutcome, InvitationStore, Invitee, StoreError};

/// No organization is known before the invitation is found.
const BY_TOKEN: Scope = Scope::system("an invitation is found by its token");

fn invitation<B: Backend>(row: &B::Row) -> Result<Invitation, StoreError> {
    let row = Columns::of(row, "invitations");
    let token = row.read("token", |bytes: &[u8]| bytes.try_into().ok())?;
    Ok(Invitation {
        id: row.id("id")?,
        org: row.id("org_id")?,
        email: row.parse("email")?,
        role: row.parse("role")?,
        inviter: match (
            row.optional_id("inviter")?,
            row.optional_id("inviter_service")?,
        ) {
            (Some(user), _) => Inviter::User(user),
            (None, Some(account)) => Inviter::Service(account),
            (None, None) => Inviter::Deployment,
        },
        token: TokenDigest::from_bytes(token),
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        accepted_at: row.optional_time("accepted_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}

pub(super) async fn insert<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    invitation: &Invitation,
) -> Result<(), StoreError> {
    let (user, service) = match invitation.inviter {
        Inviter::Deployment => (None, None),
        Inviter::User(user) => (Some(user), None),
        Inviter::Service(account) => (None, Some(account)),
    };
    write
        .execute(
            &sql::TENANT_INSERT_INVITATION,
            &[
                org.into(),
                invitation.id.into(),
                invitation.email.as_str().into(),
                invitation.role.as_str().into(),
                user.into(),
                service.into(),
                Arg::bytes(invitation.token.as_bytes()),
                invitation.created_at.into(),
                invitation.expires_at.into(),
            ],
        )
        .await?;
    Ok(())
}

#[async_trait]
impl<B: Backend> InvitationStore for SqlStore<B> {
    async fn invite(
        &self,
        org: &OrgCtx,
        invitation: &Invitation,
        events: &[AuditEvent],
    ) -> Result<(), StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        insert(&mut write, org.org(), invitation).await?;
        write.record(events).await?;
        write.commit().await
    }

    async fn invitations(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<Invitation>, StoreError> {
        let rows = self
            .reading(Scope::org(org.org()))
            .await?
            .fetch_all(
                &sql::TENANT_INVITATIONS,
                &[org.org().into(), Arg::after(page), Arg::limit(page)],
            )
            .await?;
        let invitations = rows.iter().map(invitation::<B>).collect::<Result<_, _>>()?;
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
        let mut write = self.writing(Scope::org(org.org())).await?;
        let revoked = write
            .execute(
                &sql::TENANT_REVOKE_INVITATION,
                &[org.org().into(), id.into(), at.into()],
            )
            .await?;
        if revoked == 0 {
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
        let row = self
            .reading(BY_TOKEN)
            .await?
            .fetch_optional(&sql::INVITATION_BY_TOKEN, &[Arg::bytes(token.as_bytes())])
            .await?;
        row.as_ref().map(invitation::<B>).transpose()
    }

    async fn accept(
        &self,
        acceptance: &Acceptance,
        events: &[AuditEvent],
    ) -> Result<AcceptanceOutcome, StoreError> {
        let mut write = self.writing(BY_TOKEN).await?;
        let row = write
            .fetch_optional(
                &sql::INVITATION_BY_TOKEN,
                &[Arg::bytes(acceptance.token.as_bytes())],
            )
            .await?;
        let found = row.as_ref().map(invitation::<B>).transpose()?;
        let Some(found) = found.filter(|found| found.id == acceptance.invitation) else {
            return Ok(AcceptanceOutcome::Gone);
        };
        write.rescope(Scope::org(found.org)).await?;
        let at_version = roles::is_at(&mut write, found.org, acceptance.version).await?;
        let used = write
            .execute(
                &sql::TENANT_USE_INVITATION,
                &[found.org.into(), found.id.into(), acceptance.at.into()],
            )
            .await?;
        if used == 0 {
            return Ok(AcceptanceOutcome::Gone);
        }
        let user = match &acceptance.invitee {
            Invitee::Existing(user) => *user,
            Invitee::New(user) => {
                if !users::insert(&mut write, user).await? {
                    return Ok(AcceptanceOutcome::EmailTaken);
                }
                user.id
            }
        };
        let (org, by, at) = (found.org, found.inviter.user(), acceptance.at);
        if !members::join(&mut write, org, user, &found.role, by, at).await? {
            return Ok(AcceptanceOutcome::AlreadyMember);
        }
        if !at_version {
            return Ok(AcceptanceOutcome::RoleChanged);
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(AcceptanceOutcome::Accepted)
    }
}
