//! Grants: a session's access to an organization.

use super::tx::Write;
use super::{Backend, Columns, Scope, SqlStore, revocations, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{Grant, OrgCtx, Revocation, RevocationEntry, SessionId, Timestamp};
use crate::ports::store::{GrantOutcome, StoreError};

/// Stores a grant; `false` if there is one, or its organization asks for a factor that the session lacks.
pub(super) async fn insert<B: Backend>(
    write: &mut Write<B>,
    grant: &Grant,
) -> Result<bool, StoreError> {
    let inserted = write
        .execute(
            &sql::TENANT_INSERT_GRANT,
            &[
                grant.org.into(),
                grant.session.into(),
                grant.created_at.into(),
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// What a stored grant means for one that is asked for; `None` if there is none.
fn standing<B: Backend>(row: Option<&B::Row>) -> Result<Option<GrantOutcome>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let ended = Columns::of(row, "grants").optional_time("ended_at")?;
    Ok(Some(if ended.is_some() {
        GrantOutcome::Ended
    } else {
        GrantOutcome::Existing
    }))
}

impl<B: Backend> SqlStore<B> {
    pub(super) async fn grant_opened(
        &self,
        grant: &Grant,
        events: &[AuditEvent],
    ) -> Result<GrantOutcome, StoreError> {
        let key = [grant.org.into(), grant.session.into()];
        let mut write = self.writing(Scope::org(grant.org)).await?;
        // Nobody ends all access to the organization between this look and the grant.
        write.lock(&sql::SHARE_ORG, &[grant.org.into()]).await?;
        let signed_out = write.fetch_optional(&sql::SIGNED_OUT, &key).await?;
        if signed_out.is_some() {
            return Ok(GrantOutcome::Ended);
        }
        if insert(&mut write, grant).await? {
            write.record(events).await?;
            write.commit().await?;
            return Ok(GrantOutcome::Opened);
        }
        let row = write.fetch_optional(&sql::TENANT_GRANT, &key).await?;
        Ok(standing::<B>(row.as_ref())?.unwrap_or(GrantOutcome::FactorRequired))
    }

    pub(super) async fn grant_ended(
        &self,
        org: &OrgCtx,
        session: SessionId,
        at: Timestamp,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        let ended = write
            .execute(
                &sql::TENANT_END_GRANT,
                &[org.org().into(), session.into(), at.into()],
            )
            .await?;
        if ended == 0 {
            return Ok(None);
        }
        let entry = RevocationEntry {
            what: Revocation::Grant(session, org.org()),
            expires_at: tokens_expire_at,
        };
        revocations::insert(&mut write, &entry).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(Some(entry))
    }
}
