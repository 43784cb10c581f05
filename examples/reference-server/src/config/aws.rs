//! The section `[aws]`: whose secrets of AWS Secrets Manager are read, and as whom.

use std::path::PathBuf;

use cyprob::secrets::adapters::aws::{
    AwsConfig, AwsConfigError, AwsCredentials, AwsEndpoint, AwsRegion, AwsWebIdentity,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::parsed::Parsed;

/// What the section can say.
///
/// Keys are none of it: they belong where AWS's own chain finds them, or are those of a role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AwsSection {
    region: Parsed<AwsRegion>,
    /// Where Secrets Manager is, if not at the region's own address; a password in it by mistake
    /// is not shown.
    endpoint: Option<SecretString>,
    /// Where the token service is.
    token_service: Option<SecretString>,
    /// A role that is taken with a token in a file; AWS's own chain by default.
    web_identity: Option<WebIdentityConfig>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebIdentityConfig {
    /// Its ARN.
    role: String,
    /// The session's name, which stands in AWS's own trail.
    session: String,
    token_file: PathBuf,
}

/// A key of the section cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("[aws] {key}: {why}")]
pub(crate) struct AwsSectionError {
    key: &'static str,
    why: AwsConfigError,
}

impl AwsSection {
    /// How reads are made.
    ///
    /// # Errors
    ///
    /// [`AwsSectionError`] with the key and the remedy.
    pub(crate) fn config(&self) -> Result<AwsConfig, AwsSectionError> {
        let mut config = AwsConfig::new(self.region.0.clone(), self.credentials()?);
        if let Some(endpoint) = endpoint("endpoint", self.endpoint.as_ref())? {
            config = config.with_endpoint(endpoint);
        }
        if let Some(endpoint) = endpoint("token_service", self.token_service.as_ref())? {
            config = config.with_token_service(endpoint);
        }
        Ok(config)
    }

    fn credentials(&self) -> Result<AwsCredentials, AwsSectionError> {
        let Some(identity) = &self.web_identity else {
            return Ok(AwsCredentials::StandardChain);
        };
        let WebIdentityConfig {
            role,
            session,
            token_file,
        } = identity;
        let taken = AwsWebIdentity::new(role, session, token_file.clone());
        let taken = taken.map_err(|why| AwsSectionError {
            key: "web_identity",
            why,
        })?;
        Ok(AwsCredentials::WebIdentity(taken))
    }
}

fn endpoint(
    key: &'static str,
    text: Option<&SecretString>,
) -> Result<Option<AwsEndpoint>, AwsSectionError> {
    let parsed = text.map(|text| text.expose_secret().parse()).transpose();
    parsed.map_err(|why| AwsSectionError { key, why })
}
