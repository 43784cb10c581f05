//! Whether a new password is accepted.

use secrecy::SecretString;

use super::{AcceptError, BootstrapError, FactorError, Identity, PasswordError, ResetError};
use crate::domain::{BreachDigest, ContextWords, PasswordRole, User, UserId, WeakPassword};
use crate::ports::BreachListError;
use crate::ports::store::StoreError;

/// Why a new password is not accepted.
#[derive(Debug)]
pub(super) enum NewPasswordError {
    /// It breaks a rule.
    Weak(WeakPassword),
    /// Nobody can say whether it was disclosed, so it is not taken.
    Unchecked(BreachListError),
}

impl From<NewPasswordError> for PasswordError {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Weak(weak) => Self::Weak(weak),
            NewPasswordError::Unchecked(error) => Self::Unchecked(error),
        }
    }
}

impl From<NewPasswordError> for BootstrapError {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Weak(weak) => Self::Weak(weak),
            NewPasswordError::Unchecked(error) => Self::Unchecked(error),
        }
    }
}

impl From<NewPasswordError> for AcceptError {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Weak(weak) => Self::Weak(weak),
            NewPasswordError::Unchecked(error) => Self::Unchecked(error),
        }
    }
}

impl From<NewPasswordError> for FactorError {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Weak(weak) => Self::Weak(weak),
            NewPasswordError::Unchecked(error) => Self::Unchecked(error),
        }
    }
}

impl From<NewPasswordError> for ResetError {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Weak(weak) => Self::Weak(weak),
            NewPasswordError::Unchecked(error) => Self::Unchecked(error),
        }
    }
}

impl Identity {
    /// Says whether a password is accepted for an account that these words describe.
    ///
    /// Asked before anything is hashed. Without an answer from the list of
    /// disclosed passwords no password is accepted.
    pub(super) async fn accept_password(
        &self,
        password: &SecretString,
        words: &ContextWords,
        role: PasswordRole,
    ) -> Result<(), NewPasswordError> {
        let policy = &self.parts.policy.passwords;
        policy
            .check(password, words, role)
            .map_err(NewPasswordError::Weak)?;
        let Some(list) = &self.parts.breaches else {
            return Ok(());
        };
        match list.holds(&BreachDigest::of(password)).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(NewPasswordError::Weak(WeakPassword::Breached)),
            Err(error) => Err(NewPasswordError::Unchecked(error)),
        }
    }

    /// Whether a person's password stands alone.
    pub(super) async fn role_of_password(&self, user: UserId) -> Result<PasswordRole, StoreError> {
        let factor = self.store().second_factor(user).await?;
        Ok(match factor {
            Some(_) => PasswordRole::BesideSecondFactor,
            None => PasswordRole::Alone,
        })
    }

    /// The words that describe a person: name, address, and every organization that the person belongs to.
    pub(super) async fn words_about(&self, user: &User) -> Result<ContextWords, StoreError> {
        let mut words = ContextWords::default()
            .with(user.name.as_str())
            .with(user.email.as_str());
        for membership in self.store().memberships(user.id).await? {
            words.add(membership.slug.as_str());
            if let Some(org) = self.store().org(membership.org).await? {
                words.add(org.name.as_str());
            }
        }
        Ok(words)
    }
}
