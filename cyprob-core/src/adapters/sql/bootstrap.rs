//! The first administrator.

use async_trait::async_trait;

use super::{Arg, Backend, Columns, Scope, SqlStore, members, orgs, sql, users};
use crate::domain::audit::AuditEvent;
use crate::domain::{RoleName, Timestamp, TokenDigest};
use crate::ports::store::{BootstrapOutcome, BootstrapStore, Founding, StoreError};

/// The one row that a migration made is not there.
const NO_DOOR: StoreError = StoreError::Corrupt {
    table: "bootstrap",
    column: "one",
};

#[async_trait]
impl<B: Backend> BootstrapStore for SqlStore<B> {
    async fn is_bootstrapped(&self) -> Result<bool, StoreError> {
        let row = self.fetch_optional(&sql::IS_BOOTSTRAPPED, &[]).await?;
        let row = row.ok_or(NO_DOOR)?;
        Columns::of(&row, "bootstrap").get("done")
    }

    async fn arm(&self, token: TokenDigest, expires_at: Timestamp) -> Result<bool, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let armed = write
            .execute(
                &sql::ARM,
                &[Arg::bytes(token.as_bytes()), expires_at.into()],
            )
            .await?;
        write.commit().await?;
        Ok(armed == 1)
    }

    async fn found(
        &self,
        founding: &Founding,
        events: &[AuditEvent],
    ) -> Result<BootstrapOutcome, StoreError> {
        let mut write = self
            .writing(Scope::system("the first administrator"))
            .await?;
        write.lock(&sql::LOCK_BOOTSTRAP, &[]).await?;
        let row = write
            .fetch_optional(&sql::READ_BOOTSTRAP, &[])
            .await?
            .ok_or(NO_DOOR)?;
        let door = Columns::of(&row, "bootstrap");
        if door.optional_time("bootstrapped_at")?.is_some() {
            return Ok(BootstrapOutcome::Closed);
        }
        let armed = door.read_optional("token", |bytes: &[u8]| bytes.try_into().ok())?;
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
        members::join(&mut write, org, user, &RoleName::OWNER, None, founding.at).await?;
        write
            .execute(&sql::CLOSE_BOOTSTRAP, &[founding.at.into()])
            .await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(BootstrapOutcome::Done)
    }
}
