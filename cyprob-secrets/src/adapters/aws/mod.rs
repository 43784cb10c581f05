//! Secrets in AWS Secrets Manager (feature `aws`).
//!
//! Everything it needs is told: the region, whose credentials sign the reads,
//! how long an answer may take. It reads no environment variable and no profile
//! unless the standard chain is asked for by name ([`AwsCredentials::StandardChain`]),
//! sends nothing in the clear over a network, and takes no answer longer than a
//! secret can be.
//!
//! AWS's library prints signed requests, session tokens among them, where a host
//! collects its traces, and its errors hold whole answers. Neither leaves this
//! module: it runs without a subscriber, and what failed is told in words of our own.
//!
//! ```
//! use cyprob_secrets::adapters::aws::{AwsConfig, AwsCredentials, AwsProvider, AwsWebIdentity};
//!
//! let role = AwsWebIdentity::new(
//!     "arn:aws:iam::123456789012:role/cyprob",
//!     "cyprob-node-1",
//!     "/var/run/secrets/eks.amazonaws.com/serviceaccount/token".into(),
//! )?;
//! let config = AwsConfig::new("eu-central-1".parse()?, AwsCredentials::WebIdentity(role));
//! let provider = AwsProvider::new(config);
//! # Ok::<(), cyprob_secrets::adapters::aws::AwsConfigError>(())
//! ```

mod answer;
mod bounded;
mod chain;
mod checkup;
mod client;
mod config;
mod covered;
mod credentials;
mod endpoint;
mod failure;
#[cfg(test)]
mod tests;
mod web_identity;

use std::fmt;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use self::failure::Failure;
use crate::domain::{Scheme, SecretRef};
use crate::ports::{Secret, SecretError, SecretProvider};

pub use self::checkup::{AwsFinding, AwsPart, AwsProblem, AwsRemark, AwsVerdict};
pub use self::config::{AwsConfig, AwsConfigError, AwsRegion, AwsTimeouts};
pub use self::credentials::{AwsCredentials, AwsKeys, AwsWebIdentity};
pub use self::endpoint::AwsEndpoint;

/// Serves `awssm://` references.
///
/// A secret that is marked for deletion reads as none, as one that is gone does.
/// A failed attempt is made once more within the time for all of them.
#[derive(Clone)]
pub struct AwsProvider {
    client: Client,
    config: AwsConfig,
}

impl AwsProvider {
    /// Makes the provider; the first read is the first connection.
    #[must_use]
    pub fn new(config: AwsConfig) -> Self {
        Self {
            client: client::secrets_manager(&config),
            config,
        }
    }
}

#[async_trait]
impl SecretProvider for AwsProvider {
    fn scheme(&self) -> Scheme {
        Scheme::AwsSm
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let SecretRef::AwsSm(wanted) = reference else {
            let scheme = reference.scheme();
            return Err(SecretError::Unserved { scheme });
        };
        let asked = self
            .client
            .get_secret_value()
            .secret_id(wanted.name())
            .set_version_stage(wanted.stage().map(str::to_owned))
            .set_version_id(wanted.version().map(|id| id.as_str().to_owned()));
        let told = Box::pin(asked.send()).with_subscriber(NoSubscriber::new());
        let secret = match told.await {
            Ok(output) => answer::secret(wanted, output),
            Err(error) => Err(failure::of(&error)),
        };
        match secret {
            Ok(secret) => Ok(secret),
            Err(Failure::Absent) => Ok(None),
            Err(Failure::Refused(refusal)) => Err(SecretError::refused(reference, refusal)),
            Err(Failure::Outage(outage)) => Err(SecretError::unavailable(outage)),
        }
    }
}

impl fmt::Debug for AwsProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsProvider")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
