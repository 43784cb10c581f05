//! AWS's own chain of credentials, where it is asked for.

use std::fmt;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use tokio::sync::OnceCell;

use super::covered::Covered;
use super::failure::{IdentityFault, Outage};
use super::{AwsConfig, client};

/// The chain, which is made at the first read: it looks at files for that.
pub(super) struct Chain {
    config: AwsConfig,
    made: OnceCell<DefaultCredentialsChain>,
}

impl Chain {
    pub(super) fn new(config: &AwsConfig) -> Self {
        Self {
            config: config.clone(),
            made: OnceCell::new(),
        }
    }

    async fn make(&self) -> DefaultCredentialsChain {
        let region = client::region(&self.config);
        let asking = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_http_client(Covered(client::http()))
            .with_timeout_config(client::timeouts(self.config.timeouts))
            .with_retry_config(client::retries());
        let chain = DefaultCredentialsChain::builder().configure(asking);
        chain.region(region).build().await
    }

    async fn found(&self) -> Result {
        let chain = self.made.get_or_init(|| self.make()).await;
        let found = chain.provide_credentials().await;
        // What its errors hold is nobody's to print.
        found.map_err(|error| {
            let why = match error {
                CredentialsError::CredentialsNotLoaded(_) => Outage::Credentials,
                _ => Outage::Chain,
            };
            CredentialsError::not_loaded(IdentityFault(why.into()))
        })
    }
}

impl ProvideCredentials for Chain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.found())
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chain")
    }
}
