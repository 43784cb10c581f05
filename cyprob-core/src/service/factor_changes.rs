//! What a changed factor does to the sessions, and its reset by the administrator.

use super::{FactorError, Identity, RefreshError, SignedIn};
use crate::domain::audit::{Action, Resource};
use crate::domain::{
    DeploymentCtx, Session, SessionId, SessionSeed, Timestamp, User, UserCtx, UserId,
};
use crate::ports::EntropyExt;
use crate::ports::store::{FactorOutcome, Rekeying};

impl Identity {
    /// Removes a person's second factor for them, whose device and recovery codes are lost.
    ///
    /// All of the person's sessions end. An organization that requires a factor
    /// lets the person in again when they have set up a new one.
    ///
    /// # Errors
    ///
    /// [`FactorError::NoFactor`] if there is none, or no such person.
    #[tracing::instrument(name = "core.factor.reset", skip_all, fields(user.id = %user))]
    pub async fn reset_factor(&self, by: &DeploymentCtx, user: UserId) -> Result<(), FactorError> {
        let at = self.now();
        let found = self.store().user(user).await?;
        let user = found.ok_or(FactorError::NoFactor)?;
        if self.store().second_factor(user.id).await?.is_none() {
            return Err(FactorError::NoFactor);
        }
        let rekeying = self.rekeying(&user, None, at);
        let on = Resource::new("user", user.id);
        let event = self.event(at, by.caller(), Action::FactorReset, on);
        match self.store().reset_factor(by, &rekeying, &[event]).await? {
            FactorOutcome::Changed { revoked, .. } => {
                self.publish(&revoked);
                Ok(())
            }
            _ => Err(FactorError::Raced),
        }
    }

    pub(super) fn rekeying(&self, user: &User, keep: Option<SessionId>, at: Timestamp) -> Rekeying {
        let keys = |session| {
            let seed = SessionSeed::new(self.parts.entropy.bytes());
            (session, seed, self.parts.refresh_keys.active())
        };
        Rekeying {
            user: user.id,
            expected_epoch: user.epoch,
            keep: keep.map(keys),
            at,
            tokens_expire_at: self.tokens_expire_at(at),
        }
    }

    /// Publishes what a changed factor ended; the session that goes on, if one does.
    pub(super) fn changed(&self, outcome: FactorOutcome) -> Result<Option<Session>, FactorError> {
        match outcome {
            FactorOutcome::Changed { session, revoked } => {
                self.publish(&revoked);
                Ok(session.map(|session| *session))
            }
            FactorOutcome::Used => Err(FactorError::MfaRequired),
            FactorOutcome::Required => Err(FactorError::Required),
            FactorOutcome::Raced => Err(FactorError::Raced),
        }
    }

    /// What the tokens of the session that goes on are made from.
    pub(super) async fn goes_on(
        &self,
        by: &UserCtx,
        mut user: User,
        session: Option<Session>,
        at: Timestamp,
    ) -> Result<Option<SignedIn>, FactorError> {
        let Some(session) = session else {
            return Ok(None);
        };
        let over = |error| match error {
            RefreshError::Store(error) => FactorError::Store(error),
            _ => FactorError::Raced,
        };
        let accesses = self.store().accesses(user.id, session.id).await?;
        let scope = self
            .scope_of_live(&session, &accesses, None, by.caller(), at)
            .await
            .map_err(|error| over(error.into()))?;
        user.epoch = session.credential_epoch;
        let device_token = Some(self.device_token(&user, None, at));
        let signed_in = self
            .signed_in(user, session, scope, accesses, at)
            .map_err(over)?;
        Ok(Some(SignedIn {
            device_token,
            recognised: true,
            ..signed_in
        }))
    }
}
