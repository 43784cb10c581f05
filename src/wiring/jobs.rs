//! The tokens of attempts: sealed tokens of the workers' own key.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use cyprob_authz::domain::{Audience, JobClaims, RuleSetDigest};
use cyprob_authz::service::{JobMinter, JobVerifier};
use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Entropy, EntropyExt};
use cyprob_plugins::domain::{Digest, Fence};
use cyprob_plugins::ports::{JobGrant, JobTokenError, JobTokens};
use secrecy::SecretString;

/// Mints and verifies with the workers' key.
pub(crate) struct SealedJobs {
    pub(crate) minter: JobMinter,
    pub(crate) verifier: JobVerifier,
    pub(crate) audience: Audience,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for SealedJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedJobs({})", self.audience)
    }
}

#[async_trait]
impl JobTokens for SealedJobs {
    async fn mint(&self, grant: &JobGrant, at: Timestamp) -> Result<SecretString, JobTokenError> {
        let claims = JobClaims {
            id: self.entropy.id(at),
            run: grant.run,
            fence: grant.fence.0,
            rule_set: RuleSetDigest::new(*grant.rule_set.as_bytes()),
            org: grant.org,
            on_behalf_of: grant.on_behalf_of,
            audience: self.audience.clone(),
            deadline: grant.deadline,
        };
        self.minter
            .mint(&claims, self.entropy.as_ref())
            .await
            .map_err(|error| JobTokenError::Mint(error.into()))
    }

    fn verify(&self, token: &str, at: Timestamp) -> Result<JobGrant, JobTokenError> {
        let claims = self
            .verifier
            .verify(token, at)
            .map_err(|error| JobTokenError::Refused(error.into()))?;
        Ok(JobGrant {
            run: claims.run,
            org: claims.org,
            fence: Fence(claims.fence),
            rule_set: Digest::from_bytes(*claims.rule_set.as_bytes()),
            on_behalf_of: claims.on_behalf_of,
            deadline: claims.deadline,
        })
    }
}
