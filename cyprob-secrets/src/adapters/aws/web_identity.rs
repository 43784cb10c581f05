//! Credentials for a token in a file.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use aws_sdk_sts::Client;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::failure::{self, Failure, IdentityFault, Outage};
use super::{AwsConfig, AwsWebIdentity, client};

/// The most bytes of a token that the token service takes.
const MOST: u64 = 20_000;

/// Takes a role with the token that its file holds at the moment.
pub(super) struct WebIdentity {
    client: Client,
    identity: AwsWebIdentity,
}

impl WebIdentity {
    pub(super) fn new(config: &AwsConfig, identity: &AwsWebIdentity) -> Self {
        Self {
            client: client::token_service(config),
            identity: identity.clone(),
        }
    }

    async fn taken(&self) -> std::result::Result<Credentials, Failure> {
        let place = self.identity.token_file.clone();
        let token = tokio::task::spawn_blocking(move || token(&place)).await;
        let token = token.ok().flatten().ok_or(Outage::TokenFile)?;
        let asked = self
            .client
            .assume_role_with_web_identity()
            .role_arn(&self.identity.role)
            .role_session_name(&self.identity.session)
            .web_identity_token(token.expose_secret());
        let told = Box::pin(asked.send()).await;
        let told = told.map_err(|error| failure::of(&error))?;
        let keys = told.credentials.ok_or(Outage::Answer)?;
        let until = SystemTime::try_from(keys.expiration).map_err(|_| Outage::Answer)?;
        Ok(Credentials::new(
            keys.access_key_id,
            keys.secret_access_key,
            Some(keys.session_token),
            Some(until),
            "cyprob-web-identity",
        ))
    }

    async fn provided(&self) -> Result {
        let taken = self.taken().await;
        taken.map_err(|failure| CredentialsError::provider_error(IdentityFault(failure)))
    }
}

/// What the file holds, without the line ending at its end; nothing if it holds no token.
///
/// Kubernetes links to it and may let others read it; the pod is what keeps it.
pub(super) fn token(place: &Path) -> Option<SecretString> {
    // A pipe would wait for its writer.
    if !std::fs::metadata(place).ok()?.is_file() {
        return None;
    }
    let mut text = Zeroizing::new(String::new());
    let file = File::open(place).ok()?;
    let read = file.take(MOST + 1).read_to_string(&mut text).ok()?;
    let token = text.trim_end();
    let good = u64::try_from(read).is_ok_and(|read| read <= MOST) && !token.is_empty();
    good.then(|| SecretString::from(token))
}

impl ProvideCredentials for WebIdentity {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provided())
    }
}

impl fmt::Debug for WebIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebIdentity").field(&self.identity).finish()
    }
}
