//! Credentials that are lent, renewed and taken back.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::BoxError;
use crate::domain::{LeaseId, Lent};

/// Why nothing was lent, renewed or taken back.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The lease is no more: ask for other credentials.
    #[error("the lease is no more")]
    Gone,
    /// The source answers, and says no.
    #[error("{0}")]
    Refused(LeaseRefusal),
    /// The source cannot be reached or failed.
    #[error("source of credentials unavailable")]
    Unavailable {
        /// The cause, for the log.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync + 'static>,
    },
}

/// Why a source says no; its text names the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseRefusal {
    /// Its policy does not allow it.
    #[error(
        "the source's policy does not let this deployment borrow, renew or give back; grant that"
    )]
    Denied,
    /// It does not know this deployment any more.
    #[error("the source does not accept this deployment's own login; renew it")]
    NoLogin,
    /// It has no such role.
    #[error("the source has no such role; check mount and role")]
    NoRole,
    /// It lends for less than a second.
    #[error("the source lends for less than a second; raise the role's time to live")]
    TooShort,
    /// It does not understand what it is asked for, or cannot do it.
    #[error("the source rejects the request; check its role and what it works with")]
    Rejected,
}

/// A source that makes credentials for one purpose, such as a role of a database.
#[async_trait]
pub trait DynamicCredentials: Debug + Send + Sync + 'static {
    /// Makes other credentials; every call makes new ones.
    ///
    /// # Errors
    ///
    /// [`LeaseError`]; after `Unavailable` they may have been made, and end by themselves.
    async fn issue(&self) -> Result<Lent, LeaseError>;

    /// Extends a lease, and says for how long it holds from the moment of asking.
    ///
    /// # Errors
    ///
    /// [`LeaseError::Gone`] if it was taken back or is over, or never was.
    async fn renew(&self, lease: &LeaseId) -> Result<Duration, LeaseError>;

    /// Takes credentials back: nobody can sign in with them any more. Repeating it changes nothing.
    ///
    /// # Errors
    ///
    /// [`LeaseError`]; after `Unavailable` they may or may not be taken back.
    async fn revoke(&self, lease: &LeaseId) -> Result<(), LeaseError>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: DynamicCredentials + ?Sized> DynamicCredentials for Arc<T> {
    async fn issue(&self) -> Result<Lent, LeaseError> {
        (**self).issue().await
    }

    async fn renew(&self, lease: &LeaseId) -> Result<Duration, LeaseError> {
        (**self).renew(lease).await
    }

    async fn revoke(&self, lease: &LeaseId) -> Result<(), LeaseError> {
        (**self).revoke(lease).await
    }
}

impl LeaseError {
    /// What an adapter answers when its source fails; the cause is for the log alone.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable {
            source: source.into().into(),
        }
    }
}
