//! Accounts under the deployment's administration.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, Statement, resets, revocations, sql, users};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    EndReason, OrgId, Page, PageRequest, Revocation, RevocationEntry, Timestamp, User, UserId,
    Whose,
};
use crate::ports::store::{
    AccountStore, ClientSeen, DisableOutcome, EnableOutcome, MassEnd, MassEnded, StoreError,
};

/// The time of the youngest session that a statement finds, or this one if it is later.
async fn youngest<B: Backend>(
    write: &mut Write<B>,
    statement: &Statement,
    args: &[Arg<'_>],
    at: Timestamp,
) -> Result<Timestamp, StoreError> {
    let row = write.fetch_optional(statement, args).await?;
    let time = match &row {
        Some(row) => Columns::of(row, "sessions").optional_time("created_at")?,
        None => None,
    };
    Ok(time.map_or(at, |time| time.max(at)))
}

/// Ends grants; `None` if there is no such organization. No grant is made meanwhile.
async fn end_grants<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    at: Timestamp,
) -> Result<Option<(u64, Timestamp)>, StoreError> {
    write.lock(&sql::LOCK_ORG, &[org.into()]).await?;
    let there = write.fetch_optional(&sql::ORG_BY_ID, &[org.into()]).await?;
    if there.is_none() {
        return Ok(None);
    }
    let args = [org.into(), at.into()];
    let ended = write.execute(&sql::TENANT_END_GRANTS, &args).await?;
    let until = youngest(write, &sql::TENANT_YOUNGEST_ENDED, &args, at).await?;
    let args = [org.into(), until.into()];
    write.execute(&sql::SIGN_OUT_ORG, &args).await?;
    Ok(Some((ended, until)))
}

/// Ends sessions; `None` if there is no such person.
async fn end_sessions<B: Backend>(
    write: &mut Write<B>,
    end: &MassEnd,
    user: Option<UserId>,
) -> Result<Option<(u64, Timestamp)>, StoreError> {
    let reason = EndReason::Administrator.as_str();
    let mut ending = vec![end.at.into(), reason.into(), end.keep.into()];
    let mut looking = vec![end.at.into(), reason.into()];
    let Some(user) = user else {
        let ended = write.execute(&sql::END_EVERY_SESSION, &ending).await?;
        let until = youngest(write, &sql::YOUNGEST_ENDED, &looking, end.at).await?;
        return Ok(Some((ended, until)));
    };
    let there = write
        .fetch_optional(&sql::USER_BY_ID, &[user.into()])
        .await?;
    if there.is_none() {
        return Ok(None);
    }
    ending.push(user.into());
    looking.push(user.into());
    let ended = write
        .execute(&sql::END_EVERY_SESSION_OF_USER, &ending)
        .await?;
    let until = youngest(write, &sql::YOUNGEST_ENDED_OF_USER, &looking, end.at).await?;
    Ok(Some((ended, until)))
}

#[async_trait]
impl<B: Backend> AccountStore for SqlStore<B> {
    async fn users(&self, page: &PageRequest) -> Result<Page<User>, StoreError> {
        let args = [Arg::after(page), Arg::limit(page)];
        let rows = self.fetch_all(&sql::USERS, &args).await?;
        let users: Result<Vec<User>, _> = rows.iter().map(users::user::<B>).collect();
        Ok(Page::cut(users?, page, |user| user.id.as_bytes().to_vec()))
    }

    async fn disable_user(
        &self,
        user: UserId,
        at: Timestamp,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<DisableOutcome, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let id = [user.into()];
        write.lock(&sql::LOCK_ADMINISTRATORS, &id).await?;
        let row = write.fetch_optional(&sql::USER_BY_ID, &id).await?;
        let Some(row) = row else {
            return Ok(DisableOutcome::NotFound);
        };
        let stored = users::user::<B>(&row)?;
        if stored.disabled_at.is_some() {
            return Ok(DisableOutcome::Unchanged);
        }
        let other = write.fetch_optional(&sql::OTHER_ADMINISTRATOR, &id).await?;
        if stored.administrator && other.is_none() {
            return Ok(DisableOutcome::LastAdministrator);
        }
        let args = [user.into(), at.into()];
        let Some(grown) = write.fetch_optional(&sql::DISABLE_USER, &args).await? else {
            return Ok(DisableOutcome::NotFound);
        };
        let times = (at, tokens_expire_at);
        let entry = resets::end_epoch(&mut write, user, &grown, EndReason::Disabled, times).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(DisableOutcome::Disabled(entry))
    }

    async fn enable_user(
        &self,
        user: UserId,
        events: &[AuditEvent],
    ) -> Result<EnableOutcome, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let id = [user.into()];
        if write.execute(&sql::ENABLE_USER, &id).await? == 0 {
            let there = write.fetch_optional(&sql::USER_BY_ID, &id).await?;
            return Ok(match there {
                Some(_) => EnableOutcome::Unchanged,
                None => EnableOutcome::NotFound,
            });
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(EnableOutcome::Enabled)
    }

    async fn end_many(
        &self,
        end: &MassEnd,
        events: &[AuditEvent],
    ) -> Result<Option<MassEnded>, StoreError> {
        let scope = match end.whose {
            Whose::Org(org) => Scope::org(org),
            Whose::Everyone | Whose::User(_) => Scope::none(),
        };
        let mut write = self.writing(scope).await?;
        let done = match end.whose {
            Whose::Everyone => end_sessions(&mut write, end, None).await?,
            Whose::User(user) => end_sessions(&mut write, end, Some(user)).await?,
            Whose::Org(org) => end_grants(&mut write, org, end.at).await?,
        };
        let Some((ended, until)) = done else {
            return Ok(None);
        };
        let entry = RevocationEntry {
            what: Revocation::Opened(end.whose, until, end.keep),
            expires_at: end.tokens_expire_at,
        };
        revocations::insert(&mut write, &entry).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(Some(MassEnded { ended, entry }))
    }

    async fn clients_of_user(
        &self,
        user: UserId,
        limit: u8,
    ) -> Result<Vec<ClientSeen>, StoreError> {
        let args = [user.into(), limit.into()];
        let rows = self.fetch_all(&sql::CLIENTS_OF_USER, &args).await?;
        rows.iter()
            .map(|row| {
                let row = Columns::of(row, "sessions");
                Ok(ClientSeen {
                    client: row.optional("client")?,
                    ip_address: row.read_optional("ip_address", |text: &str| text.parse().ok())?,
                })
            })
            .collect()
    }
}
