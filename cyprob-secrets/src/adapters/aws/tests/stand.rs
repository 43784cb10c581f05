//! A provider in front of moto, through the fault proxy.
//!
//! The variable `CYPROB_MOTO` names a `moto_server`, as `http://127.0.0.1:PORT`.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use aws_sdk_secretsmanager::primitives::Blob;
use cyprob_core::adapters::system::SystemEntropy;
use cyprob_core::ports::Entropy as _;

use super::super::*;
use crate::domain::{SecretValue, SourceVersion};
use crate::testkit::fault_proxy::FaultProxy;
use crate::testkit::provider::{ProviderStand, RemoteStand, VersionedStand};

pub(super) const KEY: &str = "s3cr3t-acc3ss-k3y-51bd";
pub(super) const SESSION: &str = "s3ss10n-t0k3n-77aa";

pub(super) struct Moto {
    pub(super) provider: AwsProvider,
    pub(super) proxy: FaultProxy,
    /// Straight to moto, for writing.
    pub(super) direct: Client,
    prefix: String,
}

pub(super) fn moto() -> SocketAddr {
    let address = std::env::var("CYPROB_MOTO")
        .unwrap_or_else(|_| panic!("CYPROB_MOTO must name a moto_server; scripts/test starts one"));
    let port = address.strip_prefix("http://").unwrap();
    port.parse().unwrap()
}

pub(super) fn keys() -> AwsCredentials {
    let keys = AwsKeys::new("AKIDEXAMPLE", KEY.into());
    AwsCredentials::Keys(keys.with_session_token(SESSION.into()))
}

pub(super) fn config(credentials: AwsCredentials, url: &str) -> AwsConfig {
    let timeouts = AwsTimeouts {
        connect: Duration::from_millis(500),
        attempt: Duration::from_secs(2),
        all: Duration::from_secs(5),
    };
    AwsConfig::new("eu-central-1".parse().unwrap(), credentials)
        .with_endpoint(url.parse().unwrap())
        .with_timeouts(timeouts)
}

/// A word that no other stand has.
pub(super) fn random() -> String {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Moto {
    pub(super) async fn new() -> Self {
        Self::with(keys()).await
    }

    pub(super) async fn with(credentials: AwsCredentials) -> Self {
        Self::of(|url| config(credentials, url)).await
    }

    /// With this token service.
    pub(super) async fn with_tokens(credentials: AwsCredentials, tokens: &FaultProxy) -> Self {
        let tokens = tokens.url().parse().unwrap();
        Self::of(|url| config(credentials, url).with_token_service(tokens)).await
    }

    async fn of(config_at: impl FnOnce(&str) -> AwsConfig) -> Self {
        let proxy = FaultProxy::start(moto()).await.unwrap();
        let direct = config(keys(), &format!("http://{}", moto()));
        Self {
            provider: AwsProvider::new(config_at(&proxy.url())),
            proxy,
            direct: client::secrets_manager(&direct),
            prefix: format!("cyprob-test/{}", random()),
        }
    }

    pub(super) fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.prefix)
    }

    /// Reads what stands behind the name: `#key?stage=...`.
    pub(super) async fn read(
        &self,
        key: &str,
        behind: &str,
    ) -> Result<Option<Secret>, SecretError> {
        let reference = format!("awssm://{}{behind}", self.name(key));
        self.provider.read(&reference.parse().unwrap()).await
    }
}

#[async_trait]
impl ProviderStand for Moto {
    fn provider(&self) -> &dyn SecretProvider {
        &self.provider
    }

    async fn put(&self, key: &str, value: &[u8]) {
        let text = std::str::from_utf8(value).ok().map(str::to_owned);
        let bytes = text.is_none().then(|| Blob::new(value));
        let put = self.direct.put_secret_value().secret_id(self.name(key));
        let put = put.set_secret_string(text.clone());
        let put = put.set_secret_binary(bytes.clone()).send().await;
        if let Err(error) = put {
            assert_eq!(error.code(), Some("ResourceNotFoundException"));
            let made = self.direct.create_secret().name(self.name(key));
            let made = made.set_secret_string(text).set_secret_binary(bytes);
            made.send().await.unwrap();
        }
    }

    async fn delete(&self, key: &str) {
        let gone = self.direct.delete_secret().secret_id(self.name(key));
        let gone = gone.force_delete_without_recovery(true).send().await;
        gone.unwrap();
    }

    fn newest(&self, key: &str) -> SecretRef {
        format!("awssm://{}", self.name(key)).parse().unwrap()
    }

    fn holds_bytes(&self) -> bool {
        true
    }

    fn longest(&self) -> usize {
        SecretValue::MAX_LEN
    }
}

impl VersionedStand for Moto {
    fn at(&self, key: &str, version: &SourceVersion) -> SecretRef {
        let text = format!("awssm://{}?version={version}", self.name(key));
        text.parse().unwrap()
    }

    fn unknown(&self) -> SourceVersion {
        SourceVersion::Id("00000000-0000-4000-8000-000000000000".parse().unwrap())
    }
}

impl RemoteStand for Moto {
    fn proxy(&self) -> &FaultProxy {
        &self.proxy
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(6)
    }
}
