//! Accounts.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use super::row::Columns;
use super::store::SqliteStore;
use super::tx::Write;
use super::{revocations, sessions, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{Email, Membership, PasswordHash, Revocation, RevocationEntry, User, UserId};
use crate::ports::store::{PasswordChange, PasswordOutcome, StoreError, UserStore};

fn user(row: &SqliteRow) -> Result<User, StoreError> {
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

fn membership(row: &SqliteRow) -> Result<Membership, StoreError> {
    let row = Columns::of(row, "memberships");
    Ok(Membership {
        org: row.id("org_id")?,
        slug: row.parse("slug")?,
        role: row.parse("role")?,
        epoch: row.epoch("epoch")?,
    })
}

pub(super) async fn insert(write: &mut Write, user: &User) -> Result<(), StoreError> {
    sqlx::query(sql::INSERT_USER)
        .bind(user.id.as_bytes().as_slice())
        .bind(user.email.as_str())
        .bind(user.email_verified)
        .bind(user.name.as_str())
        .bind(user.password.as_ref().map(PasswordHash::expose_phc))
        .bind(user.epoch.get())
        .bind(user.administrator)
        .bind(user.disabled_at.map(|at| at.as_micros()))
        .bind(user.created_at.as_micros())
        .execute(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    Ok(())
}

pub(super) async fn email_taken(write: &mut Write, email: &Email) -> Result<bool, StoreError> {
    let found = sqlx::query(sql::USER_BY_EMAIL)
        .bind(email.as_str())
        .fetch_optional(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    Ok(found.is_some())
}

#[async_trait]
impl UserStore for SqliteStore {
    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let row = sqlx::query(sql::USER_BY_EMAIL)
            .bind(email.as_str())
            .fetch_optional(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        row.as_ref().map(user).transpose()
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = sqlx::query(sql::USER_BY_ID)
            .bind(id.as_bytes().as_slice())
            .fetch_optional(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        row.as_ref().map(user).transpose()
    }

    async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StoreError> {
        let rows = sqlx::query(sql::MEMBERSHIPS_OF_USER)
            .bind(user.as_bytes().as_slice())
            .fetch_all(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        rows.iter().map(membership).collect()
    }

    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        sqlx::query(sql::REHASH)
            .bind(new.expose_phc())
            .bind(user.as_bytes().as_slice())
            .bind(old.expose_phc())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        write.commit().await
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
        events: &[AuditEvent],
    ) -> Result<PasswordOutcome, StoreError> {
        let mut write = self.write().await?;
        let changed = sqlx::query(sql::CHANGE_PASSWORD)
            .bind(change.password.expose_phc())
            .bind(change.user.as_bytes().as_slice())
            .bind(change.expected_epoch.get())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        if changed.rows_affected() == 0 {
            return Ok(PasswordOutcome::Raced);
        }
        let epoch = change.expected_epoch.next();
        let session = sessions::rekey_and_end_others(&mut write, change, epoch).await?;
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
