//! A transit engine that no other test has, and a store for the plans beside it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cyprob::TransitKeys;
use cyprob::authz::domain::{KeyPurpose, RootKeyId};
use cyprob::authz::ports::{KeyCustody as _, TokenSigner};
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::domain::Timestamp;
use cyprob::secrets::adapters::local::{KeySource, LocalStore};
use cyprob::secrets::adapters::vault::{Vault, VaultTransit};
use cyprob::secrets::testkit::fault_proxy::FaultProxy;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stand::Stand;

pub(crate) const AT: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const USER: KeyPurpose = KeyPurpose::User;
pub(crate) const FIRST: RootKeyId = RootKeyId::new(1);

pub(crate) struct Engine {
    pub(crate) stand: Stand,
    pub(crate) home: TempDir,
}

impl Engine {
    pub(crate) fn new() -> Self {
        let stand = Stand::new();
        let mount = format!("sys/mounts/{}-transit", stand.name);
        let kind = json!({"type": "transit"});
        stand.admin.make("POST", &mount, kind);
        let engine = Self {
            stand,
            home: tempfile::tempdir().unwrap(),
        };
        engine.may(&["read", "update"], true);
        engine
    }

    /// What the policy allows on keys, and whether it allows signing: as the manual has it.
    pub(crate) fn may(&self, keys: &[&str], sign: bool) {
        let mount = format!("{}-transit", self.stand.name);
        let sign = if sign { "update" } else { "deny" };
        self.stand.policy(&format!(
            "path \"{mount}/keys/+\" {{ capabilities = {} }}\n\
             path \"{mount}/sign/+\" {{ capabilities = [\"{sign}\"] }}\n",
            json!(keys)
        ));
    }

    /// The path of a call to the engine.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("{}-transit/{below}", self.stand.name)
    }

    /// The names of the engine's keys.
    pub(crate) fn keys(&self) -> Vec<String> {
        let (_, answer) = self.stand.admin.ask("LIST", &self.path("keys"), None);
        let keys = answer["data"]["keys"].as_array().cloned();
        let text = |key: Value| key.as_str().unwrap().to_owned();
        keys.unwrap_or_default().into_iter().map(text).collect()
    }

    pub(crate) fn store(&self) -> LocalStore {
        let master = KeySource::File(self.home.path().join("master-key"));
        LocalStore::open(&self.secrets(), master, Arc::new(SystemEntropy)).unwrap()
    }

    pub(crate) fn secrets(&self) -> std::path::PathBuf {
        self.home.path().join("secrets")
    }

    pub(crate) fn over(&self, vault: Vault) -> TransitKeys {
        let mount = format!("{}-transit", self.stand.name).parse().unwrap();
        let transit = VaultTransit::new(vault, mount);
        TransitKeys::new(transit, Arc::new(self.store()), Arc::new(SystemEntropy))
    }

    /// A custody with a connection and a store of its own, as another process has it.
    pub(crate) async fn custody(&self) -> TransitKeys {
        self.over(self.stand.connect(self.stand.given()).await.unwrap())
    }

    /// A custody behind a proxy; its calls end after 500 ms.
    pub(crate) async fn through(&self) -> (FaultProxy, TransitKeys) {
        let (proxy, vault) = self.stand.through(self.stand.given()).await;
        (proxy, self.over(vault))
    }

    /// A custody behind a proxy with the patience that a connection has by itself: 5 s.
    pub(crate) async fn through_patiently(&self) -> (FaultProxy, TransitKeys) {
        let proxy = FaultProxy::start(self.stand.admin.socket()).await.unwrap();
        let builder = Vault::builder(proxy.url().parse().unwrap()).login(self.stand.given());
        let vault = self.stand.open(builder.timeout(Duration::from_secs(5)));
        let keys = self.over(vault.await.unwrap());
        (proxy, keys)
    }
}

pub(crate) async fn first_signer(keys: &TransitKeys) -> Arc<dyn TokenSigner> {
    keys.plan(USER, AT).await.unwrap();
    keys.signer(USER, FIRST).await.unwrap().unwrap()
}

/// Copies a directory with all files in it and below.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, from.metadata().unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
