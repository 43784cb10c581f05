//! Setting a new password by a token from a mail.

use secrecy::{ExposeSecret, SecretString};

use super::post::Ask;
use super::refusals::RefusalKind;
use super::{Identity, SlowDown, secret_token};
use crate::domain::audit::{Action, Actor, Resource};
use crate::domain::{
    Caller, Email, Gate, Message, Notification, SignInName, Timestamp, TokenDigest, User,
    WeakPassword,
};
use crate::ports::store::{NewReset, Reset, StoreError};
use crate::ports::{BreachListError, HashError};

/// The prefix of tokens that reset passwords.
pub(super) const RESET: &str = "cypw_";

/// Why a password was not reset.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResetError {
    /// Unknown, used, expired or void: nobody learns which.
    #[error("the token is not good")]
    InvalidToken,
    /// The new password is refused; the token is still good.
    #[error("the new password is refused")]
    Weak(#[source] WeakPassword),
    /// Nobody can say whether the password was disclosed, so it is not taken; the token is still good.
    #[error("the password could not be checked")]
    Unchecked(#[source] BreachListError),
    /// Too many from this network: nothing was looked at.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// No password was hashed; the token is still good.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error("the password could not be stored")]
    Store(#[from] StoreError),
}

impl Identity {
    /// Takes the request for a token that resets a password.
    ///
    /// It does the same for every address in the same time: the work is done by
    /// [`answer_asks`](Self::answer_asks), and whoever asked is told nothing of it.
    ///
    /// # Errors
    ///
    /// [`SlowDown`] after too many from this network, for whatever addresses.
    pub fn request_reset(&self, email: Email, caller: &Caller) -> Result<(), SlowDown> {
        // Never given back: who asks shows nothing that could be good.
        let _used = self.visit(Gate::Mail, caller, self.now())?;
        self.post.ask(Ask::Reset(email, caller.clone()));
        Ok(())
    }

    /// Makes a token for the account of an address, if there is one that may have one.
    pub(super) async fn arm_reset(
        &self,
        email: &Email,
        caller: &Caller,
    ) -> Result<Option<Notification>, StoreError> {
        let at = self.now();
        let Some(user) = self.store().user_by_email(email).await? else {
            return Ok(None);
        };
        let policy = &self.parts.policy.recovery;
        let (token, digest) = secret_token::draw(self.parts.entropy.as_ref(), RESET);
        let expires_at = at.after(policy.reset_ttl());
        let reset = NewReset {
            user: user.id,
            epoch: user.epoch,
            token: digest,
            at,
            expires_at,
            quiet_since: at.before(policy.interval()),
        };
        let on = Resource::new("user", user.id);
        let event = self.event(at, caller, Action::PasswordResetRequested, on);
        let id = event.id;
        let armed = self.store().arm_reset(&reset, &[event]).await?;
        Ok(armed.then(|| Notification {
            id,
            user: user.id,
            to: user.email,
            message: Message::PasswordReset { token, expires_at },
        }))
    }

    /// Sets a new password by a token; ends all sessions, signs nobody in, leaves the second factor as it is.
    ///
    /// # Errors
    ///
    /// [`ResetError`]; nothing was changed.
    #[tracing::instrument(name = "core.user.reset_password", skip_all)]
    pub async fn reset_password(
        &self,
        token: &SecretString,
        password: SecretString,
        caller: &Caller,
    ) -> Result<(), ResetError> {
        let at = self.now();
        let visit = self.visit(Gate::Token, caller, at)?;
        let user = self.user_of_reset(token, caller, at).await?;
        visit.good();
        let words = self.words_about(&user).await?;
        let role = self.role_of_password(user.id).await?;
        self.accept_password(&password, &words, role).await?;
        let from = caller.origin.ip_address;
        let password = self.parts.hasher.hash(password, from).await?;
        // Hashing may have waited for its turn.
        let at = self.now();
        let reset = Reset {
            token: TokenDigest::of(token.expose_secret()),
            user: user.id,
            password,
            at,
            tokens_expire_at: self.tokens_expire_at(at),
        };
        let caller = by_token(&user, caller);
        let on = Resource::new("user", user.id);
        let event = self.event(at, &caller, Action::PasswordReset, on);
        let Some(entry) = self.store().reset_password(&reset, &[event]).await? else {
            return Err(self.refuse_reset(&caller, at));
        };
        self.publish(&[entry]);
        // What was guessed so far was guessed at the old password.
        self.forgive(&SignInName::from(&user.email), at).await?;
        Ok(())
    }

    async fn user_of_reset(
        &self,
        token: &SecretString,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<User, ResetError> {
        let found = if token.expose_secret().starts_with(RESET) {
            let digest = TokenDigest::of(token.expose_secret());
            self.store().user_by_reset(&digest, at).await?
        } else {
            None
        };
        found.ok_or_else(|| self.refuse_reset(caller, at))
    }

    fn refuse_reset(&self, caller: &Caller, at: Timestamp) -> ResetError {
        let from = caller.origin.ip_address;
        self.refusals().count(RefusalKind::PasswordReset, from, at);
        ResetError::InvalidToken
    }
}

/// The caller as the person whose token was shown.
pub(super) fn by_token(user: &User, caller: &Caller) -> Caller {
    let actor = Actor::User {
        id: user.id,
        session: None,
        token: None,
    };
    Caller {
        actor,
        ..caller.clone()
    }
}
