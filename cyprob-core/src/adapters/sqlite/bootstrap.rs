//! The first administrator.

use async_trait::async_trait;

use super::row::Columns;
use super::store::SqliteStore;
use super::{members, orgs, sql, users};
use crate::domain::audit::AuditEvent;
use crate::domain::{RoleName, Timestamp, TokenDigest};
use crate::ports::store::{BootstrapOutcome, BootstrapStore, Founding, StoreError};

#[async_trait]
impl BootstrapStore for SqliteStore {
    async fn is_bootstrapped(&self) -> Result<bool, StoreError> {
        let row = sqlx::query(sql::IS_BOOTSTRAPPED)
            .fetch_one(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        Columns::of(&row, "bootstrap").get("done")
    }

    async fn arm(&self, token: TokenDigest, expires_at: Timestamp) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let armed = sqlx::query(sql::ARM)
            .bind(token.as_bytes().as_slice())
            .bind(expires_at.as_micros())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        write.commit().await?;
        Ok(armed.rows_affected() == 1)
    }

    async fn found(
        &self,
        founding: &Founding,
        events: &[AuditEvent],
    ) -> Result<BootstrapOutcome, StoreError> {
        let mut write = self.write().await?;
        let row = sqlx::query(sql::READ_BOOTSTRAP)
            .fetch_one(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        let door = Columns::of(&row, "bootstrap");
        if door.optional_time("bootstrapped_at")?.is_some() {
            return Ok(BootstrapOutcome::Closed);
        }
        let armed = door.read_optional("token", |bytes: &[u8]| <[u8; 32]>::try_from(bytes).ok())?;
        let until = door.optional_time("expires_at")?;
        let good = armed
            .map(TokenDigest::from_bytes)
            .is_some_and(|armed| armed.matches(&founding.token))
            && until.is_some_and(|until| founding.at < until);
        if !good {
            return Ok(BootstrapOutcome::BadToken);
        }
        users::insert(&mut write, &founding.user).await?;
        orgs::insert(&mut write, &founding.org).await?;
        let (org, user) = (founding.org.id, founding.user.id);
        members::join(&mut write, org, user, &RoleName::OWNER, founding.at).await?;
        sqlx::query(sql::CLOSE_BOOTSTRAP)
            .bind(founding.at.as_micros())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        write.record(events).await?;
        write.commit().await?;
        Ok(BootstrapOutcome::Done)
    }
}
