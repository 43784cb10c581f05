//! Clients of AWS's library, with everything said that it would find out by itself.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::config::{
    BehaviorVersion, IdentityCache, Region, SharedCredentialsProvider, SharedHttpClient,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use secrecy::ExposeSecret as _;

use super::bounded::Bounded;
use super::chain::Chain;
use super::web_identity::WebIdentity;
use super::{AwsConfig, AwsCredentials, AwsKeys, AwsTimeouts};

/// An attempt, and one more.
const ATTEMPTS: u32 = 2;

/// A client of Secrets Manager.
pub(super) fn secrets_manager(config: &AwsConfig) -> aws_sdk_secretsmanager::Client {
    let endpoint = config.endpoint.as_ref();
    let cache = IdentityCache::lazy().load_timeout(config.timeouts.attempt);
    let mut all = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region(config))
        .http_client(http())
        .timeout_config(timeouts(config.timeouts))
        .retry_config(retries())
        .identity_cache(cache.build())
        .interceptor(Bounded)
        .credentials_provider(credentials(config));
    all.set_endpoint_url(endpoint.map(|endpoint| endpoint.as_str().to_owned()));
    aws_sdk_secretsmanager::Client::from_conf(all.build())
}

/// A client of the token service, which signs nothing.
pub(super) fn token_service(config: &AwsConfig) -> aws_sdk_sts::Client {
    aws_sdk_sts::Client::from_conf(unsigned(config).build())
}

/// A client of the token service that signs with the credentials that reads are signed with.
pub(super) fn signing_token_service(config: &AwsConfig) -> aws_sdk_sts::Client {
    let signed = unsigned(config).credentials_provider(credentials(config));
    aws_sdk_sts::Client::from_conf(signed.build())
}

fn unsigned(config: &AwsConfig) -> aws_sdk_sts::config::Builder {
    let endpoint = config.token_service.as_ref();
    let mut all = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region(config))
        .http_client(http())
        .timeout_config(timeouts(config.timeouts))
        .retry_config(retries())
        .interceptor(Bounded);
    all.set_endpoint_url(endpoint.map(|endpoint| endpoint.as_str().to_owned()));
    all
}

fn credentials(config: &AwsConfig) -> SharedCredentialsProvider {
    match &config.credentials {
        AwsCredentials::Keys(keys) => SharedCredentialsProvider::new(signed_by(keys)),
        AwsCredentials::WebIdentity(identity) => {
            SharedCredentialsProvider::new(WebIdentity::new(config, identity))
        }
        AwsCredentials::StandardChain => SharedCredentialsProvider::new(Chain::new(config)),
    }
}

/// The keys as AWS's library takes them; it wipes its copies.
fn signed_by(keys: &AwsKeys) -> Credentials {
    let token = keys.session_token.as_ref();
    Credentials::new(
        keys.id.as_str(),
        keys.secret.expose_secret(),
        token.map(|token| token.expose_secret().to_owned()),
        None,
        "cyprob",
    )
}

pub(super) fn region(config: &AwsConfig) -> Region {
    Region::new(config.region.as_str().to_owned())
}

/// HTTPS by rustls and ring with the system's roots, and no proxy of the environment's.
pub(super) fn http() -> SharedHttpClient {
    let ours = Provider::Rustls(CryptoMode::Ring);
    Builder::new().tls_provider(ours).build_https()
}

pub(super) fn timeouts(timeouts: AwsTimeouts) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(timeouts.connect)
        .operation_attempt_timeout(timeouts.attempt)
        .operation_timeout(timeouts.all)
        .build()
}

pub(super) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(100))
}
