//! A namespace for each organization.

mod attacks;

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::adapters::memory::MemoryStore as Database;
use cyprob_core::adapters::system::SystemEntropy;
use cyprob_core::domain::{Caller, CtxIssuer, OrgId, RoleName, Timestamp};
use cyprob_secrets::adapters::vault::VaultStore;
use cyprob_secrets::domain::{
    Drawing, Keeping, OrgSecretBase, OrgSecretPath, SecretName, SecretValue,
};
use cyprob_secrets::ports::{
    Expected, PutOutcome, Refusal, SecretError, SecretProvider as _, SecretStore as _,
};
use cyprob_secrets::service::{OrgSecretLimits, OrgSecrets, OrgSecretsParts};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::stand::Stand;

/// A store with a namespace for each organization, below one of the test's own.
struct Tenants {
    stand: Stand,
    store: VaultStore,
}

fn org() -> OrgId {
    use cyprob_core::ports::EntropyExt as _;
    SystemEntropy.id(Timestamp::UNIX_EPOCH)
}

fn base() -> OrgSecretBase {
    OrgSecretBase::default()
}

fn own(org: OrgId, name: &str) -> SecretName {
    format!("orgs/{org}/{name}").parse().unwrap()
}

impl Tenants {
    async fn new() -> Self {
        let stand = Stand::new();
        let name = &stand.name;
        let mut policy = String::new();
        for (path, may) in [
            (
                format!("{name}/data/own/*"),
                "\"create\", \"read\", \"update\"",
            ),
            (format!("{name}/metadata/own/*"), "\"read\", \"list\""),
            (format!("{name}/destroy/own/*"), "\"update\""),
        ] {
            policy.push_str(&format!("path \"{path}\" {{ capabilities = [{may}] }}\n"));
            policy.push_str(&format!("path \"+/{path}\" {{ capabilities = [{may}] }}\n"));
        }
        policy.push_str(&format!(
            "path \"sys/namespaces/+\" {{ capabilities = [\"create\", \"update\"] }}\n\
             path \"sys/namespaces\" {{ capabilities = [\"list\"] }}\n\
             path \"+/sys/mounts/{name}\" {{ capabilities = [\"create\", \"update\"] }}\n"
        ));
        stand.policy(&policy);
        // So many calls meet a slow one on any machine.
        let patient = stand
            .builder()
            .login(stand.given())
            .timeout(Duration::from_secs(30));
        let vault = stand.open(patient).await.unwrap();
        let store = VaultStore::new(vault, name.parse().unwrap(), "own".parse().unwrap());
        let store = store.namespace_per_organization(base());
        Self { stand, store }
    }

    async fn tenant(&self) -> OrgId {
        let org = org();
        self.store.make_namespace(org).await.unwrap();
        org
    }

    async fn put(&self, name: &SecretName, value: &str) {
        let value = SecretValue::new(value.as_bytes().to_vec()).unwrap();
        let put = self
            .store
            .put(name, &value, Expected::Absent, Timestamp::UNIX_EPOCH);
        assert!(
            matches!(put.await.unwrap(), PutOutcome::Stored(_)),
            "{name}"
        );
    }

    /// What an organization reads under a text that it wrote; an error is why it is no name.
    async fn read(&self, org: OrgId, written: &str) -> Result<Option<Vec<u8>>, &'static str> {
        let path = OrgSecretPath::parse(org, written).map_err(|_| "no name")?;
        let reference = path.resolve(&base()).map_err(|_| "too long")?;
        let read = self.store.read(&reference).await;
        let read = read.unwrap_or_else(|error| panic!("{written:?}: {error:?}"));
        Ok(read.map(|secret| secret.value.expose_secret().to_vec()))
    }
}

#[tokio::test]
async fn each_organization_is_in_its_own() {
    let tenants = Tenants::new().await;
    let (acme, globex) = (tenants.tenant().await, tenants.tenant().await);
    // A second call finds everything there.
    tenants.store.make_namespace(acme).await.unwrap();
    tenants.put(&own(acme, "db/a"), "of acme").await;
    tenants.put(&own(globex, "db/a"), "of globex").await;
    tenants
        .put(&"orgs.changes/a".parse().unwrap(), "a note")
        .await;
    let admin = &tenants.stand.admin;
    let mount = &tenants.stand.name;
    for (org, value) in [(acme, "b2YgYWNtZQ=="), (globex, "b2YgZ2xvYmV4")] {
        let path = format!("{org}/{mount}/data/own/db/a");
        let (_, held) = admin.ask("GET", &path, None);
        assert_eq!(held["data"]["data"]["value"], value);
    }
    let (status, _) = admin.ask("GET", &format!("{mount}/data/own/orgs/{acme}/db/a"), None);
    assert_eq!(status, 404, "nothing is in the namespace of all");

    let all = tenants.store.names().await.unwrap();
    let mut expected = vec![own(acme, "db/a"), own(globex, "db/a")];
    expected.push("orgs.changes/a".parse().unwrap());
    expected.sort_unstable();
    assert_eq!(all, expected);
    let below: SecretName = format!("orgs/{acme}").parse().unwrap();
    let listed = tenants.store.list(&below).await.unwrap();
    let listed: Vec<_> = listed.into_iter().map(|listed| listed.name).collect();
    assert_eq!(listed, [own(acme, "db/a")]);
    assert!(tenants.store.delete(&own(acme, "db/a")).await.unwrap());
    assert_eq!(
        tenants.read(globex, "db/a").await,
        Ok(Some(b"of globex".to_vec()))
    );
}

#[tokio::test]
async fn an_organization_without_one_is_told_so() {
    let tenants = Tenants::new().await;
    let org = org();
    let value = SecretValue::new(b"x".to_vec()).unwrap();
    let name = own(org, "a");
    let put = tenants
        .store
        .put(&name, &value, Expected::Absent, Timestamp::UNIX_EPOCH);
    assert_eq!(refusal(put.await), Refusal::NoPlace);
    let reference = OrgSecretPath::parse(org, "a").unwrap();
    let reference = reference.resolve(&base()).unwrap();
    let read = tenants.store.read(&reference).await;
    assert_eq!(refusal(read), Refusal::NoPlace);
}

fn refusal<T: std::fmt::Debug>(result: Result<T, SecretError>) -> Refusal {
    match result {
        Err(SecretError::Refused { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_namespace_is_made_over_what_is_there() {
    let tenants = Tenants::new().await;
    let Stand { name, admin, .. } = &tenants.stand;
    // Kept before there were namespaces.
    let early = org();
    let before = format!("{name}/data/own/orgs/{early}/db/a");
    admin.make("POST", &before, json!({"data": {"value": "eA=="}}));
    let made = tenants.store.make_namespace(early).await;
    assert_eq!(refusal(made), Refusal::Unmoved);
    let destroy = before.replace("data", "destroy");
    let (destroyed, _) = admin.ask("PUT", &destroy, Some(json!({"versions": [1]})));
    assert_eq!(destroyed, 204, "its name alone stays");
    tenants.store.make_namespace(early).await.unwrap();
    // Another engine, and one without versions.
    for mount in [json!({"type": "transit"}), json!({"type": "kv"})] {
        let taken = org();
        admin.make("PUT", &format!("sys/namespaces/{taken}"), json!({}));
        admin.make("POST", &format!("{taken}/sys/mounts/{name}"), mount);
        let made = tenants.store.make_namespace(taken).await;
        assert_eq!(refusal(made), Refusal::Occupied);
    }
}

/// The service of organizations' secrets, each in its namespace, and what it notes beside them.
#[tokio::test]
async fn the_service_of_organizations_keeps_theirs_there() {
    let tenants = Tenants::new().await;
    let (acme, globex) = (tenants.tenant().await, tenants.tenant().await);
    let secrets = OrgSecrets::new(OrgSecretsParts {
        store: Arc::new(tenants.store.clone()),
        base: base(),
        outbox: Arc::new(Database::new()),
        keeping: Keeping::DEFAULT,
        limits: OrgSecretLimits::default(),
        clock: Arc::clone(&tenants.stand.clock),
        entropy: Arc::new(SystemEntropy),
    });
    let ctx = |org| CtxIssuer::for_composition().org(org, RoleName::OWNER, Caller::system("test"));
    let (acme, globex) = (ctx(acme), ctx(globex));
    let name: SecretName = "db/a".parse().unwrap();
    let value = |text: &str| SecretValue::new(text.as_bytes().to_vec()).unwrap();
    for (org, text) in [(&acme, "of acme"), (&globex, "of globex")] {
        let put = secrets.put(org, &name, &value(text), None).await.unwrap();
        assert_eq!(put.version.get(), 1);
    }
    let drawn = secrets.rotate(&acme, &name, Drawing::default(), None).await;
    assert_eq!(drawn.unwrap().version.get(), 2);
    secrets.delete(&acme, &name).await.unwrap();
    assert!(secrets.list(&acme).await.unwrap().is_empty());
    let theirs = secrets.secret(&globex, &name).await.unwrap().unwrap();
    assert_eq!(theirs.secret().value.expose_secret(), b"of globex");
    // A secret that is stored again goes on counting.
    let again = secrets.put(&acme, &name, &value("again"), None).await;
    assert!(again.unwrap().version.get() > 2);
    assert_eq!(secrets.settle().await.unwrap(), 0);
    let (_, held) = tenants.stand.admin.ask(
        "LIST",
        &format!("{}/metadata/own/orgs.changes", tenants.stand.name),
        None,
    );
    assert_eq!(held["data"]["keys"].as_array().map(Vec::len), Some(2));
}
