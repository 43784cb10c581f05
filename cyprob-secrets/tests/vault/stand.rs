//! A place of its own for each test on the server that all share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cyprob_core::adapters::system::{SystemClock, SystemEntropy};
use cyprob_core::ports::{Clock, EntropyExt as _};
use cyprob_secrets::adapters::vault::{
    AppRole, KvVersion, SecretId, Vault, VaultBuilder, VaultError, VaultKv, VaultLogin,
};
use cyprob_secrets::domain::SecretRef;
use cyprob_secrets::ports::{Secret, SecretError, SecretProvider as _};
use cyprob_secrets::testkit::fault_proxy::FaultProxy;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run scripts/test, which starts the server and sets it")
    })
}

/// The server's own administrator.
#[derive(Clone)]
pub(crate) struct Admin {
    url: String,
    token: String,
}

impl Admin {
    pub(crate) fn new() -> Self {
        Self {
            url: variable("CYPROB_VAULT"),
            token: variable("CYPROB_VAULT_TOKEN"),
        }
    }

    pub(crate) fn of(url: String, token: String) -> Self {
        Self { url, token }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn socket(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().unwrap()
    }

    /// One call; the answer's status and body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.ask_as(&self.token, method, path, body, None)
    }

    pub(crate) fn ask_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        wrap: Option<&str>,
    ) -> (u16, Value) {
        self.try_ask_as(token, method, path, body, wrap).unwrap()
    }

    /// One call to a server that may not be there.
    pub(crate) fn try_ask(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Option<(u16, Value)> {
        self.try_ask_as(&self.token, method, path, body, None)
    }

    fn try_ask_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        wrap: Option<&str>,
    ) -> Option<(u16, Value)> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .into();
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.url))
            .header("X-Vault-Token", token);
        if let Some(ttl) = wrap {
            request = request.header("X-Vault-Wrap-TTL", ttl);
        }
        let text = body.map(|body| body.to_string()).unwrap_or_default();
        let mut answer = agent.run(request.body(text).unwrap()).ok()?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// One call that must succeed.
    pub(crate) fn make(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(method, path, Some(body));
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {answer}"
        );
        answer
    }
}

/// A mount, a policy and a role that no other test has.
pub(crate) struct Stand {
    pub(crate) admin: Admin,
    /// The name of all three, and of whatever else this test makes.
    pub(crate) name: String,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Stand {
    /// With a key-value engine of each kind, which the role may read: `NAME` and `NAME-v1`.
    pub(crate) fn new() -> Self {
        Self::on(Admin::new())
    }

    /// The same on another server.
    pub(crate) fn on(admin: Admin) -> Self {
        let tag: u64 = u64::from_be_bytes(SystemEntropy.bytes());
        let name = format!("t{tag:016x}");
        let stand = Self {
            admin,
            name,
            clock: Arc::new(SystemClock),
        };
        let name = &stand.name;
        let v2 = json!({"type": "kv", "options": {"version": "2"}});
        stand.admin.make("POST", &format!("sys/mounts/{name}"), v2);
        let v1 = json!({"type": "kv", "options": {"version": "1"}});
        stand
            .admin
            .make("POST", &format!("sys/mounts/{name}-v1"), v1);
        stand.policy(&stand.may_read());
        let approle = json!({"type": "approle"});
        stand
            .admin
            .make("POST", &format!("sys/auth/{name}"), approle);
        stand.role(json!({}));
        stand
    }

    pub(crate) fn may_read(&self) -> String {
        let name = &self.name;
        format!(
            "path \"{name}/data/*\" {{ capabilities = [\"read\"] }}\n\
             path \"{name}-v1/*\" {{ capabilities = [\"read\"] }}\n"
        )
    }

    pub(crate) fn policy(&self, text: &str) {
        let path = format!("sys/policies/acl/{}", self.name);
        self.admin.make("POST", &path, json!({ "policy": text }));
    }

    /// Makes or changes the role: an hour's token, unless stated otherwise.
    pub(crate) fn role(&self, more: Value) {
        let mut role = json!({"token_policies": [self.name], "token_ttl": "1h"});
        for (key, value) in more.as_object().unwrap() {
            role[key] = value.clone();
        }
        self.admin.make("POST", &self.role_path(""), role);
    }

    pub(crate) fn role_path(&self, below: &str) -> String {
        format!("auth/{}/role/{}{below}", self.name, self.name)
    }

    pub(crate) fn role_id(&self) -> String {
        let (_, answer) = self.admin.ask("GET", &self.role_path("/role-id"), None);
        answer["data"]["role_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn secret_id(&self) -> String {
        let answer = self
            .admin
            .make("POST", &self.role_path("/secret-id"), json!({}));
        answer["data"]["secret_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn app_role(&self, secret_id: SecretId) -> AppRole {
        AppRole::new(self.role_id(), secret_id)
            .mount(self.name.parse().unwrap())
            .role_name(self.name.parse().unwrap())
    }

    /// The role with a fresh secret id.
    pub(crate) fn given(&self) -> AppRole {
        self.app_role(SecretId::Given(self.secret_id().into()))
    }

    pub(crate) fn builder(&self) -> VaultBuilder {
        Vault::builder(self.admin.url().parse().unwrap())
    }

    pub(crate) async fn connect(&self, login: impl Into<VaultLogin>) -> Result<Vault, VaultError> {
        self.open(self.builder().login(login)).await
    }

    pub(crate) async fn open(
        &self,
        builder: VaultBuilder<VaultLogin>,
    ) -> Result<Vault, VaultError> {
        builder
            .connect(Arc::clone(&self.clock), Arc::new(SystemEntropy))
            .await
    }

    /// A connection through a proxy.
    pub(crate) async fn through(&self, login: impl Into<VaultLogin>) -> (FaultProxy, Vault) {
        self.through_within(login, Duration::from_secs(1)).await
    }

    /// The same with another bound on the time of an answer.
    pub(crate) async fn through_within(
        &self,
        login: impl Into<VaultLogin>,
        timeout: Duration,
    ) -> (FaultProxy, Vault) {
        let proxy = FaultProxy::start(self.admin.socket()).await.unwrap();
        let builder = Vault::builder(proxy.url().parse().unwrap()).login(login);
        let builder = builder.timeout(timeout);
        let vault = self.open(builder).await.unwrap();
        (proxy, vault)
    }

    pub(crate) fn kv(&self, vault: &Vault) -> VaultKv {
        let v1 = format!("{}-v1", self.name).parse().unwrap();
        let mounts = [
            (self.name.parse().unwrap(), KvVersion::V2),
            (v1, KvVersion::V1),
        ];
        VaultKv::new(vault.clone(), mounts)
    }

    /// Writes the fields of a secret with versions.
    pub(crate) fn put(&self, path: &str, fields: Value) {
        let path = format!("{}/data/{path}", self.name);
        self.admin.make("POST", &path, json!({ "data": fields }));
    }

    /// `vault://NAME/...`
    pub(crate) fn reference(&self, below: &str) -> SecretRef {
        format!("vault://{}/{below}", self.name).parse().unwrap()
    }

    /// `vault://NAME-v1/...`
    pub(crate) fn plain_reference(&self, below: &str) -> SecretRef {
        format!("vault://{}-v1/{below}", self.name).parse().unwrap()
    }

    pub(crate) async fn read(
        &self,
        kv: &VaultKv,
        below: &str,
    ) -> Result<Option<Secret>, SecretError> {
        kv.read(&self.reference(below)).await
    }

    /// What was read, in a word.
    pub(crate) async fn said(&self, kv: &VaultKv, below: &str) -> String {
        said(&self.read(kv, below).await)
    }
}

pub(crate) fn said(read: &Result<Option<Secret>, SecretError>) -> String {
    match read {
        Ok(None) => "nothing".to_owned(),
        Ok(Some(secret)) => {
            let text = String::from_utf8(secret.value.expose_secret().to_vec()).unwrap();
            match &secret.version {
                Some(version) => format!("{text} v{version}"),
                None => text,
            }
        }
        Err(SecretError::Refused { refusal, .. }) => format!("{refusal:?}"),
        Err(SecretError::Unavailable { source }) => format!("unavailable: {source}"),
        Err(error) => format!("{error:?}"),
    }
}

/// Waits until something holds, at most 20 seconds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within 20 s: {what}");
}
