//! Tokens that reset passwords.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, revocations, sql, users};
use crate::domain::audit::AuditEvent;
use crate::domain::{EndReason, Revocation, RevocationEntry, Timestamp, TokenDigest, User, UserId};
use crate::ports::store::{NewReset, Reset, ResetStore, StoreError};

/// After the epoch grew: ends all sessions and stores the revocation of the old epoch.
pub(super) async fn end_epoch<B: Backend>(
    write: &mut Write<B>,
    user: UserId,
    grown: &B::Row,
    reason: EndReason,
    (at, tokens_expire_at): (Timestamp, Timestamp),
) -> Result<RevocationEntry, StoreError> {
    let epoch = Columns::of(grown, "users").epoch("epoch")?;
    let args = [user.into(), at.into(), reason.as_str().into()];
    write.execute(&sql::END_SESSIONS_OF_USER, &args).await?;
    let entry = RevocationEntry {
        what: Revocation::User(user, epoch),
        expires_at: tokens_expire_at,
    };
    revocations::insert(write, &entry).await?;
    Ok(entry)
}

#[async_trait]
impl<B: Backend> ResetStore for SqlStore<B> {
    async fn arm_reset(&self, reset: &NewReset, events: &[AuditEvent]) -> Result<bool, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        // Of many who ask at once one is given a token.
        write.lock(&sql::LOCK_USER, &[reset.user.into()]).await?;
        let dead = [reset.user.into(), reset.at.into()];
        write.execute(&sql::DROP_DEAD_RESETS, &dead).await?;
        let armed = write
            .execute(
                &sql::ARM_RESET,
                &[
                    reset.user.into(),
                    Arg::bytes(reset.token.as_bytes()),
                    reset.epoch.into(),
                    reset.at.into(),
                    reset.expires_at.into(),
                    reset.quiet_since.into(),
                ],
            )
            .await?;
        if armed == 0 {
            return Ok(false);
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn user_by_reset(
        &self,
        token: &TokenDigest,
        at: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let args = [Arg::bytes(token.as_bytes()), at.into()];
        let row = self.fetch_optional(&sql::USER_BY_RESET, &args).await?;
        row.as_ref().map(users::user::<B>).transpose()
    }

    async fn reset_password(
        &self,
        reset: &Reset,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        // The account stands still while its token is looked at.
        write.lock(&sql::LOCK_USER, &[reset.user.into()]).await?;
        let token = Arg::bytes(reset.token.as_bytes());
        let used = write
            .execute(
                &sql::USE_RESET,
                &[reset.user.into(), token, reset.at.into()],
            )
            .await?;
        if used == 0 {
            return Ok(None);
        }
        write
            .execute(&sql::DROP_RESETS, &[reset.user.into()])
            .await?;
        let args = [reset.user.into(), (&reset.password).into()];
        let Some(grown) = write.fetch_optional(&sql::SET_PASSWORD, &args).await? else {
            return Ok(None);
        };
        let times = (reset.at, reset.tokens_expire_at);
        let reason = EndReason::CredentialChange;
        let entry = end_epoch(&mut write, reset.user, &grown, reason, times).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(Some(entry))
    }
}
