//! Tokens that permit one attempt at one run.

use std::fmt::Debug;

use async_trait::async_trait;
use cyprob_core::domain::{OrgId, RunId, Timestamp, UserId};
use secrecy::SecretString;

use crate::domain::{Digest, Fence};

/// What a worker's token permits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobGrant {
    /// The run.
    pub run: RunId,
    /// Whose it is.
    pub org: OrgId,
    /// The attempt.
    pub fence: Fence,
    /// The rule set.
    pub rule_set: Digest,
    /// Who asked for the run.
    pub on_behalf_of: UserId,
    /// Valid while `at < deadline`.
    pub deadline: Timestamp,
}

/// A token cannot be made, or is not good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobTokenError {
    /// It cannot be made.
    #[error("no token can be made for the attempt")]
    Mint(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It is not good.
    #[error("the worker's token is not good")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes and checks the sealed tokens of attempts.
#[async_trait]
pub trait JobTokens: Debug + Send + Sync + 'static {
    /// Makes a token.
    ///
    /// # Errors
    ///
    /// [`JobTokenError::Mint`].
    async fn mint(&self, grant: &JobGrant, at: Timestamp) -> Result<SecretString, JobTokenError>;

    /// What a token permits.
    ///
    /// # Errors
    ///
    /// [`JobTokenError::Refused`].
    fn verify(&self, token: &str, at: Timestamp) -> Result<JobGrant, JobTokenError>;
}
