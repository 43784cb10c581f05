//! The suite that every source of secrets must pass, for both engines.

use std::time::Duration;

use async_trait::async_trait;
use cyprob_secrets::adapters::vault::{Vault, VaultKv};
use cyprob_secrets::domain::{SecretRef, SecretValue, SecretVersion, SourceVersion};
use cyprob_secrets::ports::SecretProvider;
use cyprob_secrets::testkit::fault_proxy::FaultProxy;
use cyprob_secrets::testkit::provider::{ProviderStand, RemoteStand, VersionedStand};
use serde_json::json;

use crate::stand::Stand;

struct Source {
    stand: Stand,
    proxy: FaultProxy,
    _vault: Vault,
    kv: VaultKv,
    versions: bool,
}

impl Source {
    async fn new(versions: bool) -> Self {
        let stand = Stand::new();
        let (proxy, vault) = stand.through(stand.given()).await;
        Self {
            kv: stand.kv(&vault),
            stand,
            proxy,
            _vault: vault,
            versions,
        }
    }

    fn mount(&self) -> String {
        let name = &self.stand.name;
        if self.versions {
            name.clone()
        } else {
            format!("{name}-v1")
        }
    }
}

#[async_trait]
impl ProviderStand for Source {
    fn provider(&self) -> &dyn SecretProvider {
        &self.kv
    }

    async fn put(&self, key: &str, value: &[u8]) {
        let fields = json!({"x": std::str::from_utf8(value).unwrap()});
        let (path, body) = match self.versions {
            true => (
                format!("{}/data/{key}", self.mount()),
                json!({ "data": fields }),
            ),
            false => (format!("{}/{key}", self.mount()), fields),
        };
        self.stand.admin.make("POST", &path, body);
    }

    async fn delete(&self, key: &str) {
        let below = if self.versions { "metadata/" } else { "" };
        let path = format!("{}/{below}{key}", self.mount());
        self.stand.admin.make("DELETE", &path, json!({}));
    }

    fn newest(&self, key: &str) -> SecretRef {
        format!("vault://{}/{key}#x", self.mount()).parse().unwrap()
    }

    fn holds_bytes(&self) -> bool {
        false
    }

    fn longest(&self) -> usize {
        SecretValue::MAX_LEN
    }
}

impl VersionedStand for Source {
    fn at(&self, key: &str, version: &SourceVersion) -> SecretRef {
        format!("vault://{}/{key}#x?version={version}", self.mount())
            .parse()
            .unwrap()
    }

    fn unknown(&self) -> SourceVersion {
        SecretVersion::new(1_000).unwrap().into()
    }
}

impl RemoteStand for Source {
    fn proxy(&self) -> &FaultProxy {
        &self.proxy
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(2)
    }
}

mod with_versions {
    use super::Source;

    cyprob_secrets::secret_provider_conformance!(|| Source::new(true); versions, remote);
}

mod without_versions {
    use super::Source;

    cyprob_secrets::secret_provider_conformance!(|| Source::new(false); remote);
}
