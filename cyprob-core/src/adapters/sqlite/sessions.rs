//! Sessions.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use super::orgs::sql_limit;
use super::row::Columns;
use super::store::SqliteStore;
use super::tx::Write;
use super::{grants, revocations, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Aal, EndReason, Epoch, Grant, OrgCtx, Page, PageRequest, RefreshKeyId, RefreshState,
    Revocation, RevocationEntry, Session, SessionId, SessionSeed, SessionView, Timestamp, UserId,
};
use crate::ports::store::{
    Advance, GrantOutcome, PasswordChange, SessionEnd, SessionOwner, SessionStore, StoreError,
    StoredSession,
};

fn stored(row: &SqliteRow) -> Result<StoredSession, StoreError> {
    let row = Columns::of(row, "sessions");
    let key = |number: i64| u32::try_from(number).ok().map(RefreshKeyId::new);
    let seed = row.read("seed", |bytes: &[u8]| <[u8; 32]>::try_from(bytes).ok())?;
    let session = Session {
        id: row.id("id")?,
        user: row.id("user_id")?,
        seed: SessionSeed::new(seed),
        refresh: RefreshState {
            generation: row.u32("generation")?,
            key: row.read("refresh_key", key)?,
            previous_key: row.read_optional("previous_key", key)?,
            rotated_at: row.time("rotated_at")?,
        },
        credential_epoch: row.epoch("credential_epoch")?,
        auth_time: row.time("auth_time")?,
        aal: aal(&row)?,
        created_at: row.time("created_at")?,
        last_used_at: row.time("last_used_at")?,
        idle_expires_at: row.time("idle_expires_at")?,
        absolute_expires_at: row.time("absolute_expires_at")?,
        ended_at: row.optional_time("ended_at")?,
        client: row.optional("client")?,
        ip_address: address(&row)?,
    };
    let owner = SessionOwner {
        epoch: row.epoch("owner_epoch")?,
        disabled: row.get("owner_disabled")?,
    };
    Ok(StoredSession { session, owner })
}

fn view(row: &SqliteRow) -> Result<SessionView, StoreError> {
    let row = Columns::of(row, "sessions");
    Ok(SessionView {
        id: row.id("id")?,
        user: row.id("user_id")?,
        email: row.parse("email")?,
        name: row.parse("name")?,
        created_at: row.time("created_at")?,
        last_used_at: row.time("last_used_at")?,
        expires_at: row
            .time("idle_expires_at")?
            .min(row.time("absolute_expires_at")?),
        auth_time: row.time("auth_time")?,
        aal: aal(&row)?,
        client: row.optional("client")?,
        ip_address: address(&row)?,
    })
}

fn aal(row: &Columns<'_>) -> Result<Aal, StoreError> {
    row.read("aal", |level: i64| {
        u8::try_from(level).ok().and_then(Aal::new)
    })
}

fn address(row: &Columns<'_>) -> Result<Option<std::net::IpAddr>, StoreError> {
    row.read_optional("ip_address", |text: &str| text.parse().ok())
}

/// Re-keys the session that goes on after a password change, and ends the others.
pub(super) async fn rekey_and_end_others(
    write: &mut Write,
    change: &PasswordChange,
    epoch: Epoch,
) -> Result<Option<Session>, StoreError> {
    let kept = change.keep.as_ref().map(|(session, ..)| *session);
    let kept_bytes = kept
        .as_ref()
        .map(|id| id.as_bytes().as_slice())
        .unwrap_or_default();
    sqlx::query(sql::END_OTHER_SESSIONS)
        .bind(change.at.as_micros())
        .bind(EndReason::CredentialChange.as_str())
        .bind(change.user.as_bytes().as_slice())
        .bind(kept_bytes)
        .execute(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    let Some((session, seed, key)) = &change.keep else {
        return Ok(None);
    };
    let rekeyed = sqlx::query(sql::REKEY_SESSION)
        .bind(seed.expose_bytes().as_slice())
        .bind(key.get())
        .bind(change.at.as_micros())
        .bind(epoch.get())
        .bind(session.as_bytes().as_slice())
        .bind(change.user.as_bytes().as_slice())
        .execute(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    if rekeyed.rows_affected() == 0 {
        return Ok(None);
    }
    let row = sqlx::query(sql::SESSION)
        .bind(session.as_bytes().as_slice())
        .fetch_one(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    stored(&row).map(|stored| Some(stored.session))
}

async fn insert(write: &mut Write, session: &Session) -> Result<bool, StoreError> {
    let inserted = sqlx::query(sql::INSERT_SESSION)
        .bind(session.id.as_bytes().as_slice())
        .bind(session.user.as_bytes().as_slice())
        .bind(session.seed.expose_bytes().as_slice())
        .bind(session.refresh.generation)
        .bind(session.refresh.key.get())
        .bind(session.refresh.previous_key.map(RefreshKeyId::get))
        .bind(session.refresh.rotated_at.as_micros())
        .bind(session.credential_epoch.get())
        .bind(session.auth_time.as_micros())
        .bind(session.aal.get())
        .bind(session.created_at.as_micros())
        .bind(session.last_used_at.as_micros())
        .bind(session.idle_expires_at.as_micros())
        .bind(session.absolute_expires_at.as_micros())
        .bind(session.client.as_deref())
        .bind(session.ip_address.map(|address| address.to_string()))
        .execute(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    Ok(inserted.rows_affected() == 1)
}

fn page_of(rows: &[SqliteRow], page: &PageRequest) -> Result<Page<SessionView>, StoreError> {
    let views = rows.iter().map(view).collect::<Result<_, _>>()?;
    Ok(Page::cut(views, page, |view| view.id.as_bytes().to_vec()))
}

#[async_trait]
impl SessionStore for SqliteStore {
    async fn open_session(
        &self,
        session: &Session,
        grant: Option<&Grant>,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        if !insert(&mut write, session).await? {
            return Ok(false);
        }
        if let Some(grant) = grant {
            grants::insert(&mut write, grant).await?;
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StoreError> {
        let row = sqlx::query(sql::SESSION)
            .bind(id.as_bytes().as_slice())
            .fetch_optional(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        row.as_ref().map(stored).transpose()
    }

    async fn advance(&self, step: &Advance, events: &[AuditEvent]) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let advanced = sqlx::query(sql::ADVANCE)
            .bind(step.to.generation)
            .bind(step.to.key.get())
            .bind(step.to.previous_key.map(RefreshKeyId::get))
            .bind(step.to.rotated_at.as_micros())
            .bind(step.at.as_micros())
            .bind(step.idle_expires_at.as_micros())
            .bind(step.session.as_bytes().as_slice())
            .bind(step.from)
            .bind(step.credential_epoch.get())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        if advanced.rows_affected() == 0 {
            return Ok(false);
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn end_session(
        &self,
        end: &SessionEnd,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        let mut write = self.write().await?;
        let ended = sqlx::query(sql::END_SESSION)
            .bind(end.at.as_micros())
            .bind(end.reason.as_str())
            .bind(end.session.as_bytes().as_slice())
            .bind(end.user.as_bytes().as_slice())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        if ended.rows_affected() == 0 {
            return Ok(None);
        }
        let entry = RevocationEntry {
            what: Revocation::Session(end.session),
            expires_at: end.tokens_expire_at,
        };
        revocations::insert(&mut write, &entry).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(Some(entry))
    }

    async fn end_other_sessions(
        &self,
        end: &SessionEnd,
        events: &[AuditEvent],
    ) -> Result<Vec<RevocationEntry>, StoreError> {
        let mut write = self.write().await?;
        let rows = sqlx::query(sql::OTHER_LIVE_SESSIONS)
            .bind(end.user.as_bytes().as_slice())
            .bind(end.session.as_bytes().as_slice())
            .bind(end.at.as_micros())
            .fetch_all(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            let session = Columns::of(row, "sessions").id("id")?;
            let what = Revocation::Session(session);
            let entry = RevocationEntry {
                what,
                expires_at: end.tokens_expire_at,
            };
            revocations::insert(&mut write, &entry).await?;
            entries.push(entry);
        }
        sqlx::query(sql::END_OTHER_SESSIONS)
            .bind(end.at.as_micros())
            .bind(end.reason.as_str())
            .bind(end.user.as_bytes().as_slice())
            .bind(end.session.as_bytes().as_slice())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        write.record(events).await?;
        write.commit().await?;
        Ok(entries)
    }

    async fn sessions_of_user(
        &self,
        user: UserId,
        at: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<SessionView>, StoreError> {
        let rows = sqlx::query(sql::SESSIONS_OF_USER)
            .bind(user.as_bytes().as_slice())
            .bind(page.after().unwrap_or_default())
            .bind(at.as_micros())
            .bind(sql_limit(page))
            .fetch_all(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        page_of(&rows, page)
    }

    async fn grants_of_org(
        &self,
        org: &OrgCtx,
        at: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<SessionView>, StoreError> {
        let rows = sqlx::query(sql::TENANT_GRANTS)
            .bind(org.org().as_bytes().as_slice())
            .bind(page.after().unwrap_or_default())
            .bind(at.as_micros())
            .bind(sql_limit(page))
            .fetch_all(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        page_of(&rows, page)
    }

    async fn open_grant(
        &self,
        grant: &Grant,
        events: &[AuditEvent],
    ) -> Result<GrantOutcome, StoreError> {
        self.grant_opened(grant, events).await
    }

    async fn end_grant(
        &self,
        org: &OrgCtx,
        session: SessionId,
        at: Timestamp,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        self.grant_ended(org, session, at, tokens_expire_at, events)
            .await
    }
}
