//! A store of our own, kept by a Vault.

use std::sync::OnceLock;

use cyprob_core::domain::Timestamp;
use cyprob_secrets::adapters::vault::VaultStore;
use cyprob_secrets::ports::{
    Expected, PutOutcome, Refusal, SecretError, SecretProvider as _, SecretStore,
};
use cyprob_secrets::testkit::fault_proxy::{Fault, FaultProxy};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::stand::Stand;

impl Stand {
    fn may_keep(&self) -> String {
        let name = &self.name;
        format!(
            "path \"{name}/data/own/*\" {{ capabilities = [\"create\", \"read\", \"update\"] }}\n\
             path \"{name}/metadata/own/*\" {{ capabilities = [\"read\", \"list\"] }}\n\
             path \"{name}/destroy/own/*\" {{ capabilities = [\"update\"] }}\n"
        )
    }

    pub(super) async fn store(&self) -> (FaultProxy, VaultStore) {
        self.policy(&self.may_keep());
        let (proxy, vault) = self.through(self.given()).await;
        let mount = self.name.parse().unwrap();
        (proxy, VaultStore::new(vault, mount, "own".parse().unwrap()))
    }
}

/// One for all tests of the suite, which run their calls without one.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    })
}

mod suite {
    use super::*;

    cyprob_secrets::secret_store_conformance!(|| {
        let stand = Stand::new();
        let (proxy, store) = runtime().block_on(stand.store());
        (Within(store), proxy)
    });
}

/// The store, whose calls run within the runtime whatever thread they come from.
#[derive(Debug)]
struct Within(VaultStore);

mod within {
    use async_trait::async_trait;
    use cyprob_core::domain::Timestamp;
    use cyprob_secrets::domain::{Scheme, SecretName, SecretRef, SecretValue, SecretVersion};
    use cyprob_secrets::ports::{
        Expected, Listed, PutOutcome, Secret, SecretError, SecretProvider, SecretStore,
    };

    use super::{Within, runtime};

    async fn run<T: Send + 'static>(
        work: impl Future<Output = Result<T, SecretError>> + Send + 'static,
    ) -> Result<T, SecretError> {
        runtime().spawn(work).await.unwrap()
    }

    #[async_trait]
    impl SecretProvider for Within {
        fn scheme(&self) -> Scheme {
            self.0.scheme()
        }

        async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
            let (store, reference) = (self.0.clone(), reference.clone());
            run(async move { store.read(&reference).await }).await
        }
    }

    #[async_trait]
    impl SecretStore for Within {
        async fn put(
            &self,
            name: &SecretName,
            value: &SecretValue,
            expected: Expected,
            at: Timestamp,
        ) -> Result<PutOutcome, SecretError> {
            let (store, name, value) = (self.0.clone(), name.clone(), value.clone());
            run(async move { store.put(&name, &value, expected, at).await }).await
        }

        async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
            let (store, name) = (self.0.clone(), name.clone());
            run(async move { store.delete(&name).await }).await
        }

        async fn delete_before(
            &self,
            name: &SecretName,
            version: SecretVersion,
        ) -> Result<(), SecretError> {
            let (store, name) = (self.0.clone(), name.clone());
            run(async move { store.delete_before(&name, version).await }).await
        }

        async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
            let (store, below) = (self.0.clone(), below.clone());
            run(async move { store.list(&below).await }).await
        }

        async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
            let (store, below) = (self.0.clone(), below.clone());
            run(async move { store.taken(&below).await }).await
        }

        async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
            let store = self.0.clone();
            run(async move { store.names().await }).await
        }

        async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
            let (store, name) = (self.0.clone(), name.clone());
            run(async move { store.versions(&name).await }).await
        }
    }
}

#[tokio::test]
async fn what_others_put_there_is_no_secret_of_ours() {
    let stand = Stand::new();
    let (_proxy, store) = stand.store().await;
    stand.put("own/Strange%20Name", json!({"value": "eA=="}));
    stand.put("own/foreign", json!({"password": "x"}));
    stand.put("own/deleted", json!({"deleted": "false", "user": "x"}));
    stand.put("own/deleted", json!({"deleted": "yes", "user": "x"}));
    stand.put("elsewhere/a", json!({"value": "eA=="}));
    let name = "mine".parse().unwrap();
    let value = cyprob_secrets::domain::SecretValue::new(b"x".to_vec()).unwrap();
    let put = store
        .put(&name, &value, Expected::Absent, Timestamp::UNIX_EPOCH)
        .await;
    assert!(matches!(put, Ok(PutOutcome::Stored(_))));
    let names: Vec<String> = store
        .names()
        .await
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["deleted", "foreign", "mine"]);
    let deleted = "deleted".parse().unwrap();
    assert_eq!(store.versions(&deleted).await.unwrap().len(), 2);
    let foreign = "local://foreign".parse().unwrap();
    let read = store.read(&foreign).await;
    let refusal = |error| match error {
        SecretError::Refused { refusal, .. } => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(read.unwrap_err()), Refusal::Foreign);
}

#[tokio::test]
async fn an_outage_is_told_by_every_call_and_heals() {
    let stand = Stand::new();
    let (proxy, store) = stand.store().await;
    let name = "a".parse().unwrap();
    let value = cyprob_secrets::domain::SecretValue::new(b"x".to_vec()).unwrap();
    let at = Timestamp::UNIX_EPOCH;
    proxy.inject(Fault::Reset);
    let put = store.put(&name, &value, Expected::Absent, at).await;
    assert!(matches!(put, Err(SecretError::Unavailable { .. })));
    assert!(matches!(
        store.delete(&name).await,
        Err(SecretError::Unavailable { .. })
    ));
    assert!(matches!(
        store.names().await,
        Err(SecretError::Unavailable { .. })
    ));
    proxy.heal();
    let put = store.put(&name, &value, Expected::Absent, at).await;
    assert!(matches!(put, Ok(PutOutcome::Stored(_))));
}

#[tokio::test]
async fn a_folder_of_a_hundred_thousand_names_is_listed_and_one_without_end_is_not() {
    let stand = Stand::new();
    stand.policy(&stand.may_keep());
    let patience = std::time::Duration::from_secs(10);
    let (proxy, vault) = stand.through_within(stand.given(), patience).await;
    let mount = stand.name.parse().unwrap();
    let store = VaultStore::new(vault, mount, "own".parse().unwrap());
    let listing = |names: usize| {
        let org = |n: usize| format!("org_0193c0ffee007000800000000{n:07x}");
        let keys: Vec<String> = (0..names).map(org).collect();
        let body = json!({"data": {"keys": keys}}).to_string();
        Fault::Status { code: 200, body }
    };
    let below = "orgs.changes".parse().unwrap();
    proxy.inject(listing(100_000));
    assert_eq!(store.taken(&below).await.unwrap().len(), 100_000);
    proxy.inject(listing(1_000_000));
    let endless = store.taken(&below).await;
    assert!(matches!(endless, Err(SecretError::Unavailable { .. })));
}
