//! Grants: a session's access to an organization.

use super::row::Columns;
use super::store::SqliteStore;
use super::tx::Write;
use super::{revocations, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{Grant, OrgCtx, Revocation, RevocationEntry, SessionId, Timestamp};
use crate::ports::store::{GrantOutcome, StoreError};

pub(super) async fn insert(write: &mut Write, grant: &Grant) -> Result<(), StoreError> {
    sqlx::query(sql::TENANT_INSERT_GRANT)
        .bind(grant.org.as_bytes().as_slice())
        .bind(grant.session.as_bytes().as_slice())
        .bind(grant.created_at.as_micros())
        .execute(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    Ok(())
}

/// What a stored grant means for one that is asked for; `None` if there is none.
fn standing(row: Option<&sqlx::sqlite::SqliteRow>) -> Result<Option<GrantOutcome>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let ended = Columns::of(row, "grants").optional_time("ended_at")?;
    Ok(Some(if ended.is_some() {
        GrantOutcome::Ended
    } else {
        GrantOutcome::Existing
    }))
}

impl SqliteStore {
    pub(super) async fn grant_opened(
        &self,
        grant: &Grant,
        events: &[AuditEvent],
    ) -> Result<GrantOutcome, StoreError> {
        let find = || {
            sqlx::query(sql::TENANT_GRANT)
                .bind(grant.org.as_bytes().as_slice())
                .bind(grant.session.as_bytes().as_slice())
        };
        // Almost always it is there: look before taking the write lock.
        let row = find()
            .fetch_optional(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        if let Some(outcome) = standing(row.as_ref())? {
            return Ok(outcome);
        }
        let mut write = self.write().await?;
        let row = find()
            .fetch_optional(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        if let Some(outcome) = standing(row.as_ref())? {
            return Ok(outcome);
        }
        insert(&mut write, grant).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(GrantOutcome::Opened)
    }

    pub(super) async fn grant_ended(
        &self,
        org: &OrgCtx,
        session: SessionId,
        at: Timestamp,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        let mut write = self.write().await?;
        let ended = sqlx::query(sql::TENANT_END_GRANT)
            .bind(org.org().as_bytes().as_slice())
            .bind(session.as_bytes().as_slice())
            .bind(at.as_micros())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        if ended.rows_affected() == 0 {
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
