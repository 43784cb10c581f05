//! A place of its own for each test on the server that all share.

use std::time::Duration;

use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::ports::EntropyExt as _;
use serde_json::{Value, json};

use crate::doctor::Patient;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run scripts/test, which starts the server and sets it")
    })
}

pub(crate) fn address() -> String {
    variable("CYPROB_VAULT")
}

pub(crate) fn root() -> String {
    variable("CYPROB_VAULT_TOKEN")
}

/// Two engines, `NAME` with versions and `NAME-v1` without, a policy and a role of that name.
pub(crate) struct Stand {
    pub(crate) name: String,
}

impl Stand {
    pub(crate) fn new() -> Self {
        let stand = Self {
            name: format!("d{:016x}", u64::from_be_bytes(SystemEntropy.bytes())),
        };
        let name = &stand.name;
        for (mount, version) in [(name.clone(), "2"), (format!("{name}-v1"), "1")] {
            let engine = json!({"type": "kv", "options": {"version": version}});
            make("POST", &format!("sys/mounts/{mount}"), engine);
        }
        stand.policy(&stand.may_read());
        make(
            "POST",
            &format!("sys/auth/{name}"),
            json!({"type": "approle"}),
        );
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
        make("POST", &path, json!({ "policy": text }));
    }

    /// Makes or changes the role: an hour's token, unless stated otherwise.
    pub(crate) fn role(&self, more: Value) {
        let mut role = json!({"token_policies": [self.name], "token_ttl": "1h"});
        for (key, value) in more.as_object().unwrap() {
            role[key] = value.clone();
        }
        make("POST", &self.role_path(""), role);
    }

    pub(crate) fn role_path(&self, below: &str) -> String {
        format!("auth/{0}/role/{0}{below}", self.name)
    }

    /// A token of the policy, with what is stated more.
    pub(crate) fn token(&self, more: Value) -> String {
        let mut token = json!({"policies": [self.name], "ttl": "1h", "no_parent": true});
        for (key, value) in more.as_object().unwrap() {
            token[key] = value.clone();
        }
        let made = make("POST", "auth/token/create", token);
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn secret_id(&self, wrap: Option<&str>) -> String {
        let path = self.role_path("/secret-id");
        let (_, made) = ask(&root(), "POST", &path, Some(json!({})), wrap);
        let made = match wrap {
            Some(_) => &made["wrap_info"]["token"],
            None => &made["data"]["secret_id"],
        };
        made.as_str().unwrap().to_owned()
    }

    /// The section's head, with both engines as they are.
    pub(crate) fn section(&self, address: &str) -> String {
        self.section_with(address, &format!("{0} = 2, {0}-v1 = 1", self.name))
    }

    pub(crate) fn section_with(&self, address: &str, mounts: &str) -> String {
        format!("[vault]\naddress = \"{address}\"\nkv = {{ {mounts} }}\n")
    }

    /// Somebody who logs in by a token in a file.
    pub(crate) fn by_token(&self, token: &str) -> Patient {
        let mut patient = Patient::new();
        let file = patient.keep("token", token);
        let section = self.section(&address());
        patient.configure(&format!("{section}token_file = {{ path = {file:?} }}\n"));
        patient
    }

    /// Somebody who logs in as the role by what is in a file.
    pub(crate) fn by_role(&self, secret: &str, wrapped: bool) -> Patient {
        let mut patient = Patient::new();
        let file = patient.keep("secret-id", secret);
        let (_, role) = ask(&root(), "GET", &self.role_path("/role-id"), None, None);
        let role_id = role["data"]["role_id"].as_str().unwrap();
        let (section, name) = (self.section(&address()), &self.name);
        patient.configure(&format!(
            "{section}[vault.app_role]\nmount = \"{name}\"\nrole_id = \"{role_id}\"\n\
             role_name = \"{name}\"\nsecret_id_file = {file:?}\nwrapped = {wrapped}\n"
        ));
        patient
    }
}

/// One call; the answer's status and body.
pub(crate) fn ask(
    token: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
    wrap: Option<&str>,
) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into();
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}/v1/{path}", address()))
        .header("X-Vault-Token", token);
    if let Some(ttl) = wrap {
        request = request.header("X-Vault-Wrap-TTL", ttl);
    }
    let text = body.map(|body| body.to_string()).unwrap_or_default();
    let mut answer = agent.run(request.body(text).unwrap()).unwrap();
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// One call of the administrator that must succeed.
#[track_caller]
pub(crate) fn make(method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = ask(&root(), method, path, Some(body), None);
    assert!(
        (200..300).contains(&status),
        "{method} {path}: {status} {answer}"
    );
    answer
}
