//! Accounts and sessions under the deployment's administration.

use secrecy::SecretString;

use super::{Identity, resets, secret_token};
use crate::domain::audit::{Action, Actor, MetaValue, Resource};
use crate::domain::{
    Caller, DeploymentCtx, Email, Page, PageRequest, SystemCtx, Timestamp, User, UserId, Whose,
};
use crate::ports::store::{DisableOutcome, EnableOutcome, MassEnd, NewReset, StoreError};

/// Why an account was not switched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// There is none such, or no such organization.
    #[error("no such account or organization")]
    NotFound,
    /// The deployment would be left without an administrator.
    #[error("the last administrator stays")]
    LastAdministrator,
    /// The store failed.
    #[error("the account could not be read or stored")]
    Store(#[from] StoreError),
}

/// Who administers: a signed-in administrator, or the one who owns the machine.
pub trait Administration: sealed::Sealed + Sync {}

impl Administration for DeploymentCtx {}
impl Administration for SystemCtx {}

mod sealed {
    use crate::domain::{Caller, DeploymentCtx, SystemCtx};

    pub trait Sealed {
        fn who(&self) -> &Caller;
    }

    impl Sealed for DeploymentCtx {
        fn who(&self) -> &Caller {
            self.caller()
        }
    }

    impl Sealed for SystemCtx {
        fn who(&self) -> &Caller {
            self.caller()
        }
    }
}

impl Identity {
    /// Switches an account off, for a reason: its sessions and tokens end at once. A second call changes nothing.
    ///
    /// # Errors
    ///
    /// [`AccountError`]; nothing was changed.
    #[tracing::instrument(name = "core.user.disable", skip_all, fields(user.id = %user))]
    pub async fn disable_user(
        &self,
        by: &impl Administration,
        user: UserId,
        reason: &str,
    ) -> Result<(), AccountError> {
        let at = self.now();
        let on = Resource::new("user", user);
        let event = self
            .event(at, by.who(), Action::UserDisabled, on)
            .with("reason", MetaValue::personal(Some(user), reason));
        let until = self.tokens_expire_at(at);
        match self.store().disable_user(user, at, until, &[event]).await? {
            DisableOutcome::Disabled(entry) => {
                self.publish(&[entry]);
                Ok(())
            }
            DisableOutcome::Unchanged => Ok(()),
            DisableOutcome::NotFound => Err(AccountError::NotFound),
            DisableOutcome::LastAdministrator => Err(AccountError::LastAdministrator),
        }
    }

    /// Switches an account on again; the person signs in anew. A second call changes nothing.
    ///
    /// # Errors
    ///
    /// [`AccountError`]; nothing was changed.
    #[tracing::instrument(name = "core.user.enable", skip_all, fields(user.id = %user))]
    pub async fn enable_user(
        &self,
        by: &impl Administration,
        user: UserId,
    ) -> Result<(), AccountError> {
        let on = Resource::new("user", user);
        let event = self.event(self.now(), by.who(), Action::UserEnabled, on);
        match self.store().enable_user(user, &[event]).await? {
            EnableOutcome::Enabled | EnableOutcome::Unchanged => Ok(()),
            EnableOutcome::NotFound => Err(AccountError::NotFound),
        }
    }

    /// Lets an administrator who lost their password in again: switches the account on and draws
    /// a token that sets a new password, for the one who owns the machine to carry over.
    ///
    /// The second factor stays as it is.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] if no administrator has the address, or never showed that it is theirs.
    #[tracing::instrument(name = "core.user.recover", skip_all)]
    pub async fn recover(
        &self,
        by: &SystemCtx,
        email: &Email,
    ) -> Result<SecretString, AccountError> {
        let user = self.store().user_by_email(email).await?;
        let user = user.filter(|user| user.administrator && user.email_verified);
        let user = user.ok_or(AccountError::NotFound)?;
        if user.disabled_at.is_some() {
            self.enable_user(by, user.id).await?;
        }
        let at = self.now();
        let (token, digest) = secret_token::draw(self.parts.entropy.as_ref(), resets::RESET);
        let reset = NewReset {
            user: user.id,
            epoch: user.epoch,
            token: digest,
            at,
            expires_at: at.after(self.parts.policy.recovery.reset_ttl()),
            quiet_since: at,
        };
        let on = Resource::new("user", user.id);
        let event = self
            .event(at, by.caller(), Action::PasswordResetRequested, on)
            .because("recover");
        if self.store().arm_reset(&reset, &[event]).await? {
            Ok(token)
        } else {
            Err(AccountError::NotFound)
        }
    }

    /// The account of an address, or all accounts; recorded before anything is shown.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing is shown then.
    pub async fn users(
        &self,
        by: &impl Administration,
        email: Option<&Email>,
        page: &PageRequest,
    ) -> Result<Page<User>, StoreError> {
        let on = Resource::new("user", "");
        let mut event = self.event(self.now(), by.who(), Action::UsersRead, on);
        if let Some(email) = email {
            event = event.with("email", MetaValue::personal(None, email.as_str()));
        }
        self.store().record(&[event]).await?;
        match email {
            None => self.store().users(page).await,
            Some(email) => {
                let found = self.store().user_by_email(email).await?;
                Ok(Page {
                    items: found.into_iter().collect(),
                    next: None,
                })
            }
        }
    }

    /// Ends all sessions of a person or of everyone, or all access to an organization, for a
    /// reason; gives how many ended. With `keep_current` the session that acts goes on.
    ///
    /// The work is one statement and one revocation, however many sessions there are.
    /// It takes with it what is opened in the same millisecond, which is as fine as ids
    /// tell: answer whoever asked for it in the next one.
    ///
    /// # Errors
    ///
    /// [`AccountError`]; the sessions may still be live.
    #[tracing::instrument(name = "core.session.end_many", skip_all)]
    pub async fn end_many(
        &self,
        by: &impl Administration,
        whose: Whose,
        keep: KeepCurrent,
        reason: &str,
    ) -> Result<u64, AccountError> {
        let at = self.now();
        let keep = match (keep, &by.who().actor) {
            (KeepCurrent::Yes, Actor::User { session, .. }) => *session,
            _ => None,
        };
        let end = MassEnd {
            whose,
            keep,
            at,
            tokens_expire_at: self.tokens_expire_at(at),
        };
        let event = self.mass_event(at, by.who(), whose, reason);
        let ended = self.store().end_many(&end, &[event]).await?;
        let ended = ended.ok_or(AccountError::NotFound)?;
        self.publish(&[ended.entry]);
        Ok(ended.ended)
    }

    fn mass_event(
        &self,
        at: Timestamp,
        caller: &Caller,
        whose: Whose,
        reason: &str,
    ) -> crate::domain::audit::AuditEvent {
        let on = match whose {
            Whose::Everyone => Resource::new("deployment", ""),
            Whose::User(user) => Resource::new("user", user),
            Whose::Org(org) => Resource::new("org", org),
        };
        let event = self
            .event(at, caller, Action::SessionsEnded, on)
            .with("reason", MetaValue::personal(None, reason));
        match whose {
            Whose::Org(org) => event.in_org(org),
            Whose::Everyone | Whose::User(_) => event,
        }
    }
}

/// Whether the session that acts outlives the end of all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeepCurrent {
    /// It goes on.
    Yes,
    /// It ends with the others.
    No,
}
