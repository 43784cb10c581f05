//! Changes of addresses.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, resets, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Email, EmailChange, EmailChangeId, EndReason, RevocationEntry, Timestamp, TokenDigest, UserId,
};
use crate::ports::store::{
    AskOutcome, EmailOutcome, EmailStep, EmailStore, NewEmailChange, StoreError,
};

fn change<B: Backend>(row: &B::Row) -> Result<EmailChange, StoreError> {
    let row = Columns::of(row, "email_changes");
    Ok(EmailChange {
        id: row.id("id")?,
        user: row.id("user_id")?,
        from: row.parse("from_email")?,
        to: row.parse("to_email")?,
        epoch: row.epoch("epoch")?,
        expires_at: row.time("expires_at")?,
    })
}

/// The change that a step is about, if its token is still good for it. The account stands still from here on.
async fn locked<B: Backend>(
    write: &mut Write<B>,
    statement: &super::Statement,
    step: &EmailStep,
) -> Result<Option<EmailChange>, StoreError> {
    let args = [Arg::bytes(step.token.as_bytes()), step.at.into()];
    let mut found = None;
    // The first look names the account to lock; what holds is what the second finds.
    for _ in 0..2 {
        let row = write.fetch_optional(statement, &args).await?;
        let Some(row) = row else { return Ok(None) };
        let read = change::<B>(&row)?;
        if read.id != step.change {
            return Ok(None);
        }
        write.lock(&sql::LOCK_USER, &[read.user.into()]).await?;
        found = Some(read);
    }
    Ok(found)
}

/// Whether another account has the address, or may still object that it was taken away; nobody else takes it until the end.
async fn is_taken<B: Backend>(
    write: &mut Write<B>,
    email: &Email,
    by: UserId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    if is_reserved(write, email, by, at).await? {
        return Ok(true);
    }
    let args = [email.as_str().into(), by.into()];
    let owner = write.fetch_optional(&sql::EMAIL_OWNER, &args).await?;
    Ok(owner.is_some())
}

/// Whether somebody else may still object that the address was taken away; nobody takes it until the end.
pub(super) async fn is_reserved<B: Backend>(
    write: &mut Write<B>,
    email: &Email,
    by: UserId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let email = email.as_str();
    write.lock(&sql::LOCK_EMAIL, &[email.into()]).await?;
    let args = [email.into(), by.into(), at.into()];
    let reserved = write.fetch_optional(&sql::EMAIL_RESERVED, &args).await?;
    Ok(reserved.is_some())
}

/// Gives the account the address and ends all sessions; `None` if there is no such account.
async fn readdress<B: Backend>(
    write: &mut Write<B>,
    user: UserId,
    email: &Email,
    step: &EmailStep,
) -> Result<Option<RevocationEntry>, StoreError> {
    let args = [user.into(), email.as_str().into(), true.into()];
    let Some(grown) = write.fetch_optional(&sql::SET_EMAIL, &args).await? else {
        return Ok(None);
    };
    let times = (step.at, step.tokens_expire_at);
    let reason = EndReason::CredentialChange;
    let entry = resets::end_epoch(write, user, &grown, reason, times).await?;
    Ok(Some(entry))
}

#[async_trait]
impl<B: Backend> EmailStore for SqlStore<B> {
    async fn ask_email(
        &self,
        ask: &NewEmailChange,
        events: &[AuditEvent],
    ) -> Result<AskOutcome, StoreError> {
        let asked = &ask.change;
        let user = asked.user;
        let mut write = self.writing(Scope::none()).await?;
        write.lock(&sql::LOCK_USER, &[user.into()]).await?;
        let holds = [user.into(), asked.epoch.into(), asked.from.as_str().into()];
        let holds = write.fetch_optional(&sql::EMAIL_MAY_CHANGE, &holds).await?;
        if holds.is_none() {
            return Ok(AskOutcome::Raced);
        }
        let young = [user.into(), ask.quiet_since.into()];
        let young = write
            .fetch_optional(&sql::YOUNG_EMAIL_CHANGE, &young)
            .await?;
        if young.is_some() {
            return Ok(AskOutcome::TooSoon);
        }
        write
            .execute(&sql::DROP_OPEN_EMAIL_CHANGES, &[user.into()])
            .await?;
        write
            .execute(
                &sql::INSERT_EMAIL_CHANGE,
                &[
                    asked.id.into(),
                    user.into(),
                    asked.from.as_str().into(),
                    asked.to.as_str().into(),
                    asked.epoch.into(),
                    Arg::bytes(ask.token.as_bytes()),
                    ask.at.into(),
                    asked.expires_at.into(),
                ],
            )
            .await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(AskOutcome::Asked)
    }

    async fn email_change(
        &self,
        token: &TokenDigest,
        at: Timestamp,
    ) -> Result<Option<EmailChange>, StoreError> {
        let args = [Arg::bytes(token.as_bytes()), at.into()];
        let row = self.fetch_optional(&sql::OPEN_EMAIL_CHANGE, &args).await?;
        row.as_ref().map(change::<B>).transpose()
    }

    async fn confirm_email(
        &self,
        step: &EmailStep,
        object_until: Timestamp,
        events: &[AuditEvent],
    ) -> Result<EmailOutcome, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let Some(change) = locked(&mut write, &sql::OPEN_EMAIL_CHANGE, step).await? else {
            return Ok(EmailOutcome::Gone);
        };
        let outcome = if change.only_verifies() {
            let args = [change.user.into(), true.into()];
            write.execute(&sql::VERIFY_EMAIL, &args).await?;
            let id = [change.id.into()];
            write.execute(&sql::DROP_EMAIL_CHANGE, &id).await?;
            EmailOutcome::Verified
        } else {
            // Both addresses stand still, each pair in one order.
            let mut both = [change.from.as_str(), change.to.as_str()];
            both.sort_unstable();
            for email in both {
                write.lock(&sql::LOCK_EMAIL, &[email.into()]).await?;
            }
            if is_taken(&mut write, &change.to, change.user, step.at).await? {
                return Ok(EmailOutcome::Taken);
            }
            let args = [change.id.into(), object_until.into(), step.at.into()];
            write.execute(&sql::CONFIRM_EMAIL_CHANGE, &args).await?;
            let entry = readdress(&mut write, change.user, &change.to, step).await?;
            let Some(entry) = entry else {
                return Ok(EmailOutcome::Gone);
            };
            EmailOutcome::Changed(entry)
        };
        write.record(events).await?;
        write.commit().await?;
        Ok(outcome)
    }

    async fn arm_objection(
        &self,
        id: EmailChangeId,
        token: TokenDigest,
        at: Timestamp,
    ) -> Result<Option<(EmailChange, Timestamp)>, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let args = [id.into(), Arg::bytes(token.as_bytes()), at.into()];
        if write.execute(&sql::ARM_OBJECTION, &args).await? == 0 {
            return Ok(None);
        }
        let row = write
            .fetch_optional(&sql::EMAIL_CHANGE_BY_ID, &[id.into()])
            .await?;
        let Some(row) = row else { return Ok(None) };
        let armed = change::<B>(&row)?;
        let until = Columns::of(&row, "email_changes").time("object_until")?;
        write.commit().await?;
        Ok(Some((armed, until)))
    }

    async fn email_objection(
        &self,
        token: &TokenDigest,
        at: Timestamp,
    ) -> Result<Option<EmailChange>, StoreError> {
        let args = [Arg::bytes(token.as_bytes()), at.into()];
        let row = self
            .fetch_optional(&sql::OBJECTED_EMAIL_CHANGE, &args)
            .await?;
        row.as_ref().map(change::<B>).transpose()
    }

    async fn object_to_email(
        &self,
        step: &EmailStep,
        events: &[AuditEvent],
    ) -> Result<EmailOutcome, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let found = locked(&mut write, &sql::OBJECTED_EMAIL_CHANGE, step).await?;
        let Some(change) = found else {
            return Ok(EmailOutcome::Gone);
        };
        if is_taken(&mut write, &change.from, change.user, step.at).await? {
            return Ok(EmailOutcome::Taken);
        }
        let user = [change.user.into()];
        write.execute(&sql::VOID_PASSWORD, &user).await?;
        // By epoch, which grows with each change; an id is a node's clock.
        let later = [change.user.into(), change.epoch.into()];
        write.execute(&sql::DROP_EMAIL_CHANGES_FROM, &later).await?;
        let entry = readdress(&mut write, change.user, &change.from, step).await?;
        let Some(entry) = entry else {
            return Ok(EmailOutcome::Gone);
        };
        write.record(events).await?;
        write.commit().await?;
        Ok(EmailOutcome::Changed(entry))
    }

    async fn sweep_email_changes(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let swept = write
            .execute(&sql::SWEEP_EMAIL_CHANGES, &[at.into()])
            .await?;
        write.commit().await?;
        Ok(swept)
    }
}
