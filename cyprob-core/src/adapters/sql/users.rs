//! Accounts.

use async_trait::async_trait;

use super::tx::Write;
use super::{
    Backend, Cells, Columns, Scope, SqlStore, emails, revocations, second_factors, sessions, sql,
};
use crate::domain::audit::AuditEvent;
use crate::domain::{Email, Membership, PasswordHash, Revocation, RevocationEntry, User, UserId};
use crate::ports::store::{Account, PasswordChange, PasswordOutcome, StoreError, UserStore};

pub(super) fn user<B: Backend>(row: &B::Row) -> Result<User, StoreError> {
    let row = Columns::of(row, "users");
    Ok(User {
        id: row.id("id")?,
        email: row.parse("email")?,
        email_verified: row.get("email_verified")?,
        name: row.parse("name")?,
        password: row
            .optional::<String>("password")?
            .map(PasswordHash::from_phc),
        epoch: row.epoch("epoch")?,
        administrator: row.get("administrator")?,
        disabled_at: row.optional_time("disabled_at")?,
        created_at: row.time("created_at")?,
    })
}

/// A membership, whose epoch has this name in the row.
pub(super) fn membership(
    row: &Columns<'_, impl Cells>,
    epoch: &'static str,
) -> Result<Membership, StoreError> {
    Ok(Membership {
        org: row.id("org_id")?,
        slug: row.parse("slug")?,
        role: row.parse("role")?,
        epoch: row.epoch(epoch)?,
    })
}

/// Stores an account; `false` if its address is taken.
pub(super) async fn insert<B: Backend>(
    write: &mut Write<B>,
    user: &User,
) -> Result<bool, StoreError> {
    if emails::is_reserved(write, &user.email, user.id, user.created_at).await? {
        return Ok(false);
    }
    let inserted = write
        .execute(
            &sql::INSERT_USER,
            &[
                user.id.into(),
                user.email.as_str().into(),
                user.email_verified.into(),
                user.name.as_str().into(),
                user.password.as_ref().map(PasswordHash::expose_phc).into(),
                user.epoch.into(),
                user.administrator.into(),
                user.disabled_at.into(),
                user.created_at.into(),
            ],
        )
        .await?;
    Ok(inserted == 1)
}

#[async_trait]
impl<B: Backend> UserStore for SqlStore<B> {
    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let row = self
            .fetch_optional(&sql::USER_BY_EMAIL, &[email.as_str().into()])
            .await?;
        row.as_ref().map(user::<B>).transpose()
    }

    async fn account_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        let row = self
            .fetch_optional(&sql::ACCOUNT_BY_EMAIL, &[email.as_str().into()])
            .await?;
        let Some(row) = row else { return Ok(None) };
        let has_factor = Columns::of(&row, "second_factors").optional_id::<UserId>("user_id")?;
        let factor = has_factor.map(|_| second_factors::factor::<B>(&row));
        Ok(Some(Account {
            user: user::<B>(&row)?,
            factor: factor.transpose()?,
        }))
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = self.fetch_optional(&sql::USER_BY_ID, &[id.into()]).await?;
        row.as_ref().map(user::<B>).transpose()
    }

    async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StoreError> {
        let rows = self
            .reading(Scope::user(user))
            .await?
            .fetch_all(&sql::MEMBERSHIPS_OF_USER, &[user.into()])
            .await?;
        rows.iter()
            .map(|row| membership(&Columns::of(row, "memberships"), "epoch"))
            .collect()
    }

    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        write
            .execute(&sql::REHASH, &[new.into(), user.into(), old.into()])
            .await?;
        write.commit().await
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
        events: &[AuditEvent],
    ) -> Result<PasswordOutcome, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let changed = write
            .execute(
                &sql::CHANGE_PASSWORD,
                &[
                    (&change.password).into(),
                    change.user.into(),
                    change.expected_epoch.into(),
                ],
            )
            .await?;
        if changed == 0 {
            return Ok(PasswordOutcome::Raced);
        }
        let epoch = change.expected_epoch.next();
        let keep = change.keep.as_ref();
        let session =
            sessions::rekey_and_end_others(&mut write, change.user, keep, change.at, epoch).await?;
        let entry = RevocationEntry {
            what: Revocation::User(change.user, epoch),
            expires_at: change.tokens_expire_at,
        };
        revocations::insert(&mut write, &entry).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(PasswordOutcome::Changed {
            session: session.map(Box::new),
            revoked: vec![entry],
        })
    }
}
