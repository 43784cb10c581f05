//! Sessions.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Cells, Columns, Scope, SqlStore, revocations, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Aal, Access, EndReason, Epoch, Grant, Id, OrgCtx, Page, PageRequest, RefreshKeyId,
    RefreshState, Revocation, RevocationEntry, Session, SessionId, SessionSeed, SessionView,
    Timestamp, UserId,
};
use crate::ports::store::{
    Advance, Claimed, GrantOutcome, Renewal, SessionEnd, SessionOwner, SessionStore, Standing,
    StoreError, StoredSession,
};

pub(super) fn stored<B: Backend>(row: &B::Row) -> Result<StoredSession, StoreError> {
    let row = Columns::of(row, "sessions");
    let key = |number: i64| u32::try_from(number).ok().map(RefreshKeyId::new);
    let seed = row.read("seed", |bytes: &[u8]| bytes.try_into().ok())?;
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

fn view<B: Backend>(row: &B::Row) -> Result<SessionView, StoreError> {
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

fn aal(row: &Columns<'_, impl Cells>) -> Result<Aal, StoreError> {
    row.read("aal", |level: i64| {
        u8::try_from(level).ok().and_then(Aal::new)
    })
}

fn address(row: &Columns<'_, impl Cells>) -> Result<Option<std::net::IpAddr>, StoreError> {
    row.read_optional("ip_address", |text: &str| text.parse().ok())
}

/// Ends all of a person's sessions but one; returns those that were live.
async fn end_others<B: Backend>(
    write: &mut Write<B>,
    user: UserId,
    keep: Option<SessionId>,
    reason: EndReason,
    at: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let kept = Arg::Id(Some(keep.map_or([0; 16], Id::to_bytes)));
    let args = [at.into(), reason.as_str().into(), user.into(), kept];
    let rows = write.fetch_all(&sql::END_OTHER_SESSIONS, &args).await?;
    let mut live = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Columns::of(row, "sessions");
        if at < row.time("idle_expires_at")? && at < row.time("absolute_expires_at")? {
            live.push(row.id("id")?);
        }
    }
    live.sort_unstable();
    Ok(live)
}

/// Re-keys the session that goes on after a changed credential, and ends the others.
pub(super) async fn rekey_and_end_others<B: Backend>(
    write: &mut Write<B>,
    user: UserId,
    keep: Option<&(SessionId, SessionSeed, RefreshKeyId)>,
    at: Timestamp,
    epoch: Epoch,
) -> Result<Option<Session>, StoreError> {
    let kept = keep.map(|(session, ..)| *session);
    let reason = EndReason::CredentialChange;
    end_others(write, user, kept, reason, at).await?;
    let Some((session, seed, key)) = keep else {
        return Ok(None);
    };
    let args = [
        Arg::bytes(seed.expose_bytes()),
        (*key).into(),
        at.into(),
        epoch.into(),
        (*session).into(),
        user.into(),
    ];
    if write.execute(&sql::REKEY_SESSION, &args).await? == 0 {
        return Ok(None);
    }
    let row = write
        .fetch_optional(&sql::SESSION, &[(*session).into()])
        .await?;
    let rekeyed = row.as_ref().map(stored::<B>).transpose()?;
    Ok(rekeyed.map(|stored| stored.session))
}

/// Moves a session one generation on; `false` if the step does not hold.
pub(super) async fn advance<B: Backend>(
    write: &mut Write<B>,
    step: &Advance,
) -> Result<bool, StoreError> {
    let advanced = write
        .execute(
            &sql::ADVANCE,
            &[
                step.to.generation.into(),
                step.to.key.into(),
                step.to.previous_key.into(),
                step.to.rotated_at.into(),
                step.at.into(),
                step.idle_expires_at.into(),
                step.session.into(),
                step.from.into(),
                step.credential_epoch.into(),
            ],
        )
        .await?;
    Ok(advanced == 1)
}

fn page_of<B: Backend>(
    rows: &[B::Row],
    page: &PageRequest,
) -> Result<Page<SessionView>, StoreError> {
    let views = rows.iter().map(view::<B>).collect::<Result<_, _>>()?;
    Ok(Page::cut(views, page, |view| view.id.as_bytes().to_vec()))
}

#[async_trait]
impl<B: Backend> SessionStore for SqlStore<B> {
    async fn open_session(
        &self,
        session: &Session,
        grant: Option<&Grant>,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError> {
        self.session_opened(session, grant, events).await
    }

    async fn standing(&self, claimed: &Claimed) -> Result<Standing, StoreError> {
        let Claimed {
            user,
            user_epoch,
            session,
            member,
        } = *claimed;
        let (user, session) = (Arg::from(user), Arg::from(session));
        let row = match member {
            None => {
                let args = [session, user, user_epoch.into()];
                self.fetch_optional(&sql::STANDING, &args).await?
            }
            Some((org, epoch)) => {
                let args = [org.into(), session, user, user_epoch.into(), epoch.into()];
                // On PostgreSQL the statement binds itself to the organization, so one message does.
                self.fetch_optional(&sql::TENANT_STANDING, &args).await?
            }
        };
        Ok(row.map_or(Standing::Fell, |_| Standing::Stands))
    }

    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StoreError> {
        let row = self.fetch_optional(&sql::SESSION, &[id.into()]).await?;
        row.as_ref().map(stored::<B>).transpose()
    }

    async fn renewal(&self, id: SessionId) -> Result<Option<Renewal>, StoreError> {
        self.renewal_of(id).await
    }

    async fn accesses(&self, user: UserId, session: SessionId) -> Result<Vec<Access>, StoreError> {
        self.accesses_of(user, session).await
    }

    async fn advance(&self, step: &Advance, event: &AuditEvent) -> Result<bool, StoreError> {
        self.step(step, event).await
    }

    async fn end_session(
        &self,
        end: &SessionEnd,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let ended = write
            .execute(
                &sql::END_SESSION,
                &[
                    end.at.into(),
                    end.reason.as_str().into(),
                    end.session.into(),
                    end.user.into(),
                ],
            )
            .await?;
        if ended == 0 {
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
        let mut write = self.writing(Scope::none()).await?;
        let ended = end_others(&mut write, end.user, Some(end.session), end.reason, end.at);
        let entries: Vec<_> = ended
            .await?
            .into_iter()
            .map(|session| RevocationEntry {
                what: Revocation::Session(session),
                expires_at: end.tokens_expire_at,
            })
            .collect();
        for entry in &entries {
            revocations::insert(&mut write, entry).await?;
        }
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
        let rows = self
            .fetch_all(
                &sql::SESSIONS_OF_USER,
                &[user.into(), Arg::after(page), at.into(), Arg::limit(page)],
            )
            .await?;
        page_of::<B>(&rows, page)
    }

    async fn grants_of_org(
        &self,
        org: &OrgCtx,
        at: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<SessionView>, StoreError> {
        let rows = self
            .reading(Scope::org(org.org()))
            .await?
            .fetch_all(
                &sql::TENANT_GRANTS,
                &[
                    org.org().into(),
                    Arg::after(page),
                    at.into(),
                    Arg::limit(page),
                ],
            )
            .await?;
        page_of::<B>(&rows, page)
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
