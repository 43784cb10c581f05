//! Changing a password.

use secrecy::SecretString;

use super::scope::memberships;
use super::throttle::AttemptError;
use super::{Identity, RefreshError, SignedIn, SlowDown};
use crate::domain::audit::{Action, Outcome, Resource};
use crate::domain::{SessionSeed, SignInName, Timestamp, User, UserCtx, WeakPassword};
use crate::ports::store::{PasswordChange, PasswordOutcome, StoreError};
use crate::ports::{BreachListError, EntropyExt, HashError};

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The current password is wrong.
    #[error("the current password is wrong")]
    InvalidCredentials,
    /// The new password is refused.
    #[error("the new password is refused")]
    Weak(#[source] WeakPassword),
    /// Too many wrong passwords in this session: nothing was checked.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// Nobody can say whether the password was disclosed, so it is not taken.
    #[error("the password could not be checked")]
    Unchecked(#[source] BreachListError),
    /// The account changed meanwhile; nothing of this took effect.
    #[error("the account changed meanwhile")]
    Raced,
    /// No password was hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error("the password could not be stored")]
    Store(#[from] StoreError),
}

impl From<AttemptError> for PasswordError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::SlowDown(error) => Self::SlowDown(error),
            AttemptError::Store(error) => Self::Store(error),
        }
    }
}

impl Identity {
    /// Changes the caller's password and ends all of the person's sessions.
    ///
    /// With `keep` the session that acts goes on under new keys and its new pair
    /// is returned; otherwise it ends with the others. All access tokens given
    /// so far stop working when this returns.
    ///
    /// # Errors
    ///
    /// [`PasswordError`]; nothing was changed.
    #[tracing::instrument(name = "core.user.change_password", skip_all, fields(user.id = %by.user()))]
    pub async fn change_password(
        &self,
        by: &UserCtx,
        current: SecretString,
        new: SecretString,
        keep: bool,
    ) -> Result<Option<SignedIn>, PasswordError> {
        let at = self.now();
        let mut user = self
            .store()
            .user(by.user())
            .await?
            .ok_or(PasswordError::InvalidCredentials)?;
        let words = self.words_about(&user).await?;
        let role = self.role_of_password(user.id).await?;
        self.accept_password(&new, &words, role).await?;
        self.check_current(by, &user, current, at).await?;
        // What was guessed so far was guessed at the old password.
        let name = SignInName::from(&user.email);
        self.forgive(&name, at).await?;
        let hash = self
            .parts
            .hasher
            .hash(new, by.caller().origin.ip_address)
            .await?;
        let seed = SessionSeed::new(self.parts.entropy.bytes());
        let change = PasswordChange {
            user: user.id,
            expected_epoch: user.epoch,
            password: hash,
            keep: keep.then(|| (by.session(), seed, self.parts.refresh_keys.active())),
            at,
            tokens_expire_at: self.tokens_expire_at(at),
        };
        let on = Resource::new("user", user.id);
        let event = self.event(at, by.caller(), Action::PasswordChanged, on);
        match self.store().change_password(&change, &[event]).await? {
            PasswordOutcome::Raced => Err(PasswordError::Raced),
            PasswordOutcome::Changed { session, revoked } => {
                self.publish(&revoked);
                let Some(session) = session.filter(|_| keep).map(|session| *session) else {
                    return Ok(None);
                };
                let accesses = self.store().accesses(user.id, session.id).await?;
                let scope = self
                    .scope_of_live(&session, &accesses, None, by.caller(), at)
                    .await
                    .map_err(|error| match RefreshError::from(error) {
                        RefreshError::Store(error) => PasswordError::Store(error),
                        _ => PasswordError::Raced,
                    })?;
                let refresh_token = self.refresh_token(&session)?;
                user.epoch = session.credential_epoch;
                let device_token = Some(self.device_token(&user, None, at));
                Ok(Some(SignedIn {
                    user,
                    session,
                    refresh_token,
                    device_token,
                    recognised: true,
                    scope,
                    memberships: memberships(accesses),
                    at,
                }))
            }
        }
    }

    /// Checks the current password; a wrong one is recorded, since the caller is known.
    async fn check_current(
        &self,
        by: &UserCtx,
        user: &User,
        current: SecretString,
        at: Timestamp,
    ) -> Result<(), PasswordError> {
        if self.is_password_of(by, user, current, at).await?? {
            return Ok(());
        }
        let on = Resource::new("user", user.id);
        let event = self
            .event(at, by.caller(), Action::PasswordChangeRefused, on)
            .with_outcome(Outcome::Denied, "invalid_credentials");
        self.store().record(&[event]).await?;
        Err(PasswordError::InvalidCredentials)
    }
}
