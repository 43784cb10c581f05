//! Why an organization's secret was not read or changed.

use std::sync::Arc;

use cyprob_core::ports::store::StoreError;

use crate::domain::{SecretRefError, SecretVersion};
use crate::ports::SecretError;
use crate::service::guard::NotGiven;

/// A refusal or failure; no variant carries a value.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrgSecretError {
    /// The text names no secret of an organization.
    #[error("no name of a secret")]
    Name(#[from] SecretRefError),
    /// There is no such secret.
    #[error("no such secret")]
    NotFound,
    /// The newest version is this one (`None`: there is none); nothing changed.
    #[error("the secret is at another version")]
    Conflict(Option<SecretVersion>),
    /// The organization has as many secrets as it may.
    #[error("the organization has as many secrets as it may")]
    TooMany,
    /// The organization has used as many names as it may: those of deleted secrets take room too.
    /// It may use them again.
    #[error("the organization has used as many names of secrets as it may; use one of them again")]
    TooManyNames,
    /// Another change of the organization is under way, or one is that nobody knows the end of yet:
    /// that takes a minute or so. Nothing changed.
    #[error("another change of the organization's secrets is under way")]
    Busy,
    /// The store failed. If it was asked for a change, that may or may not be made; its event follows if it was.
    #[error("the organization's secrets are unavailable")]
    Secrets(#[source] SecretError),
    /// The trail did not take an event, which waits; until it does nothing more of the organization is changed.
    #[error("the event of a change of secrets is not recorded yet")]
    Trail(#[source] Arc<StoreError>),
}

impl From<SecretError> for OrgSecretError {
    fn from(error: SecretError) -> Self {
        Self::Secrets(error)
    }
}

impl From<StoreError> for OrgSecretError {
    fn from(error: StoreError) -> Self {
        Self::Trail(Arc::new(error))
    }
}

impl From<NotGiven> for OrgSecretError {
    fn from(why: NotGiven) -> Self {
        match why {
            NotGiven::Secret(error) => Self::Secrets(error),
            NotGiven::Trail(error) => Self::Trail(error),
        }
    }
}
