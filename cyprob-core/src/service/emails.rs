//! Changing and verifying the address of an account.

use secrecy::{ExposeSecret, SecretString};

use super::post::Ask;
use super::refusals::RefusalKind;
use super::resets::by_token;
use super::throttle::AttemptError;
use super::{Identity, SlowDown, secret_token};
use crate::domain::audit::{Action, MetaValue, Outcome, Resource};
use crate::domain::{
    Caller, EMAIL_CHANGE, Email, EmailChange, Gate, Message, Notification, Timestamp, TokenDigest,
    User, UserCtx,
};
use crate::ports::store::{AskOutcome, EmailOutcome, EmailStep, NewEmailChange, StoreError};
use crate::ports::{EntropyExt, HashError};

/// The prefix of tokens that confirm an address.
const CONFIRMATION: &str = "cyem_";
/// The prefix of tokens that object to a change.
pub(super) const OBJECTION: &str = "cyeo_";

/// Why a change of address was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmailError {
    /// The password is wrong.
    #[error("the password is wrong")]
    InvalidCredentials,
    /// The last mail of this kind is too young.
    #[error("the last request is too young")]
    TooSoon,
    /// Too many wrong passwords in this session: nothing was checked.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// The address is the account's and verified already.
    #[error("the address is the account's already")]
    Unchanged,
    /// The account changed meanwhile.
    #[error("the account changed meanwhile")]
    Raced,
    /// No password was checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error("the change could not be stored")]
    Store(#[from] StoreError),
}

/// Why a token changed no address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmailTokenError {
    /// Unknown, used, replaced, expired or void: nobody learns which.
    #[error("the token is not good")]
    InvalidToken,
    /// Another account has the address by now; its holder is told, who reads its mail.
    #[error("another account has the address")]
    Taken,
    /// Too many from this network: nothing was looked at.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// The store failed.
    #[error("the change could not be stored")]
    Store(#[from] StoreError),
}

impl From<AttemptError> for EmailError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::SlowDown(error) => Self::SlowDown(error),
            AttemptError::Store(error) => Self::Store(error),
        }
    }
}

/// The digest of a token of this kind.
fn digest(token: &SecretString, prefix: &str) -> Option<TokenDigest> {
    let text = token.expose_secret();
    text.starts_with(prefix).then(|| TokenDigest::of(text))
}

impl Identity {
    /// Asks for another address for the caller's account, confirmed by a token that goes there.
    ///
    /// The answer does not tell whether another account has it.
    ///
    /// # Errors
    ///
    /// [`EmailError`]; nothing was changed.
    #[tracing::instrument(name = "core.user.change_email", skip_all, fields(user.id = %by.user()))]
    pub async fn request_email(
        &self,
        by: &UserCtx,
        to: Email,
        password: SecretString,
    ) -> Result<(), EmailError> {
        let at = self.now();
        let user = self.account(by).await?;
        self.reauthenticate(by, &user, password, at).await?;
        if user.email == to {
            return Err(EmailError::Unchanged);
        }
        self.ask_email(by, &user, to).await
    }

    /// Asks for a mail that verifies the address of the caller's account; of a verified one nothing comes.
    ///
    /// # Errors
    ///
    /// [`EmailError`]; nothing was changed.
    #[tracing::instrument(name = "core.user.verify_email", skip_all, fields(user.id = %by.user()))]
    pub async fn request_verification(&self, by: &UserCtx) -> Result<(), EmailError> {
        let user = self.account(by).await?;
        if user.email_verified {
            return Ok(());
        }
        let to = user.email.clone();
        self.ask_email(by, &user, to).await
    }

    async fn account(&self, by: &UserCtx) -> Result<User, EmailError> {
        let user = self.store().user(by.user()).await?;
        user.ok_or(EmailError::Raced)
    }

    async fn ask_email(&self, by: &UserCtx, user: &User, to: Email) -> Result<(), EmailError> {
        // A password may have waited for its check.
        let at = self.now();
        let (token, digest) = secret_token::draw(self.parts.entropy.as_ref(), CONFIRMATION);
        let policy = &self.parts.policy.recovery;
        let change = EmailChange {
            id: self.parts.entropy.id(at),
            user: user.id,
            from: user.email.clone(),
            to,
            epoch: user.epoch,
            expires_at: at.after(policy.email_ttl()),
        };
        let event = self
            .event(
                at,
                by.caller(),
                Action::EmailChangeRequested,
                Resource::new("user", user.id),
            )
            .with(EMAIL_CHANGE, MetaValue::public(change.id))
            .with("to", MetaValue::personal(Some(user.id), change.to.as_str()));
        let notification = Notification {
            id: event.id,
            user: user.id,
            to: change.to.clone(),
            message: Message::EmailConfirmation {
                token,
                expires_at: change.expires_at,
            },
        };
        let ask = NewEmailChange {
            change,
            token: digest,
            at,
            quiet_since: at.before(policy.interval()),
        };
        match self.store().ask_email(&ask, &[event]).await? {
            AskOutcome::Asked => {
                self.post.ask(Ask::Confirm(ask.change, notification));
                Ok(())
            }
            AskOutcome::TooSoon => Err(EmailError::TooSoon),
            AskOutcome::Raced => Err(EmailError::Raced),
        }
    }

    async fn reauthenticate(
        &self,
        by: &UserCtx,
        user: &User,
        password: SecretString,
        at: Timestamp,
    ) -> Result<(), EmailError> {
        if self.is_password_of(by, user, password, at).await?? {
            return Ok(());
        }
        let on = Resource::new("user", user.id);
        let event = self
            .event(at, by.caller(), Action::EmailChangeRefused, on)
            .with_outcome(Outcome::Denied, "invalid_credentials");
        self.store().record(&[event]).await?;
        Err(EmailError::InvalidCredentials)
    }

    /// Gives an account the address that its token was sent to; verified from then on.
    ///
    /// A new address ends all sessions: it is what the person signs in with.
    ///
    /// # Errors
    ///
    /// [`EmailTokenError`]; nothing was changed.
    #[tracing::instrument(name = "core.user.confirm_email", skip_all)]
    pub async fn confirm_email(
        &self,
        token: &SecretString,
        caller: &Caller,
    ) -> Result<(), EmailTokenError> {
        let at = self.now();
        let visit = self.visit(Gate::Token, caller, at)?;
        let change = match digest(token, CONFIRMATION) {
            Some(digest) => self.store().email_change(&digest, at).await?,
            None => None,
        };
        let (change, user) = self.with_owner(change, caller, at).await?;
        visit.good();
        let caller = by_token(&user, caller);
        let on = Resource::new("user", user.id);
        let event = if change.only_verifies() {
            self.event(at, &caller, Action::EmailVerified, on)
        } else {
            self.event(at, &caller, Action::EmailChanged, on)
                .with(EMAIL_CHANGE, MetaValue::public(change.id))
                .with(
                    "from",
                    MetaValue::personal(Some(user.id), change.from.as_str()),
                )
                .with("to", MetaValue::personal(Some(user.id), change.to.as_str()))
        };
        let step = self.email_step(&change, token, at);
        let object_until = at.after(self.parts.policy.recovery.objection_ttl());
        let outcome = self
            .store()
            .confirm_email(&step, object_until, &[event])
            .await?;
        self.email_outcome(outcome, &caller, at)
    }

    /// Takes a change of address back, for the holder of the address before it.
    ///
    /// Whoever made the change knew the password: it is void, and set anew by mail.
    ///
    /// # Errors
    ///
    /// [`EmailTokenError`]; nothing was changed.
    #[tracing::instrument(name = "core.user.object_to_email", skip_all)]
    pub async fn object_to_email(
        &self,
        token: &SecretString,
        caller: &Caller,
    ) -> Result<(), EmailTokenError> {
        let at = self.now();
        let visit = self.visit(Gate::Token, caller, at)?;
        let change = match digest(token, OBJECTION) {
            Some(digest) => self.store().email_objection(&digest, at).await?,
            None => None,
        };
        let (change, user) = self.with_owner(change, caller, at).await?;
        visit.good();
        let caller = by_token(&user, caller);
        let on = Resource::new("user", user.id);
        let event = self
            .event(at, &caller, Action::EmailChangeObjected, on)
            .with(EMAIL_CHANGE, MetaValue::public(change.id));
        let step = self.email_step(&change, token, at);
        let outcome = self.store().object_to_email(&step, &[event]).await?;
        self.email_outcome(outcome, &caller, at)
    }

    fn email_step(&self, change: &EmailChange, token: &SecretString, at: Timestamp) -> EmailStep {
        EmailStep {
            change: change.id,
            token: TokenDigest::of(token.expose_secret()),
            at,
            tokens_expire_at: self.tokens_expire_at(at),
        }
    }

    async fn with_owner(
        &self,
        change: Option<EmailChange>,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<(EmailChange, User), EmailTokenError> {
        if let Some(change) = change
            && let Some(user) = self.store().user(change.user).await?
        {
            return Ok((change, user));
        }
        Err(self.refuse_email(caller, at))
    }

    fn refuse_email(&self, caller: &Caller, at: Timestamp) -> EmailTokenError {
        let from = caller.origin.ip_address;
        self.refusals().count(RefusalKind::EmailChange, from, at);
        EmailTokenError::InvalidToken
    }

    fn email_outcome(
        &self,
        outcome: EmailOutcome,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<(), EmailTokenError> {
        match outcome {
            EmailOutcome::Verified => Ok(()),
            EmailOutcome::Changed(entry) => {
                self.publish(&[entry]);
                Ok(())
            }
            EmailOutcome::Taken => Err(EmailTokenError::Taken),
            EmailOutcome::Gone => Err(self.refuse_email(caller, at)),
        }
    }

    /// Drops changes of addresses that nothing can come of any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sweep_email_changes(&self) -> Result<u64, StoreError> {
        self.store().sweep_email_changes(self.now()).await
    }
}
