//! Two organizations over stores that a test lets fail.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use cyprob::core::adapters::argon2::{Argon2Options, Argon2Pool};
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::domain::{Caller, CtxIssuer, OrgCtx, OrgId, RoleName};
use cyprob::core::service::Bootstrap;
use cyprob::secrets::adapters::memory::MemoryStore;
use cyprob::secrets::domain::OrgSecretBase;
use cyprob::secrets::service::OrgSecretLimits;
use cyprob::secrets::testkit::faults::FaultyStore;
use cyprob::{ControlPlane, DeploymentKeys, OrgSecretStore, Stores};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const PASSWORD: &str = "mossy lantern harbour";

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// The owner of an organization.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) token: String,
    pub(crate) org: String,
}

pub(crate) struct Site {
    pub(crate) plane: ControlPlane,
    pub(crate) api: Router,
    pub(crate) store: Arc<FaultyStore<MemoryStore>>,
    pub(crate) acme: Owner,
    pub(crate) globex: Owner,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with(OrgSecretLimits::default(), true).await
    }

    pub(crate) async fn with(limits: OrgSecretLimits, kept: bool) -> Self {
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let pool = Argon2Pool::start(Argon2Options::testing(), Arc::new(SystemEntropy));
        let mut builder = ControlPlane::builder()
            .stores(Stores::memory(Arc::new(SystemEntropy)))
            .keys(DeploymentKeys::ephemeral(&SystemEntropy))
            .hasher(Arc::new(pool.unwrap()));
        if kept {
            let base = OrgSecretBase::default();
            let secrets = OrgSecretStore::new(Arc::clone(&store) as _, base);
            builder = builder.secrets(secrets.limits(limits));
        }
        let plane = builder.build().await.unwrap();
        let (api, _) = cyprob::http::router(plane.clone()).unwrap();
        founded(&plane).await;
        let post = async |path: &str, token: Option<&str>, body: &Value| {
            ask(&api, "POST", path, token, body).await
        };
        let acme = signed_in(&plane, "ada@example.com").await;
        let globex =
            json!({ "slug": "globex", "name": "Globex", "owner_email": "bob@example.com" });
        let made = post("/api/v1/system/orgs", Some(&acme.token), &globex).await;
        let invitation = made.expect(201).json()["invitation"]["token"].clone();
        let accept = json!({ "token": invitation, "name": "Bob", "password": PASSWORD });
        let accepted = post("/api/v1/invitations/accept", None, &accept).await;
        accepted.expect(201);
        let globex = signed_in(&plane, "bob@example.com").await;
        Self {
            plane,
            api,
            store,
            acme,
            globex,
        }
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, by: &Owner, body: &Value) -> Answer {
        ask(&self.api, method, path, Some(&by.token), body).await
    }

    /// A request about a secret of the caller's own organization.
    pub(crate) async fn secret(
        &self,
        method: &str,
        name: &str,
        by: &Owner,
        body: &Value,
    ) -> Answer {
        let path = format!("/api/v1/orgs/{}/secrets/{name}", by.org);
        self.ask(method, &path, by, body).await
    }

    pub(crate) async fn put(&self, name: &str, by: &Owner, value: &str) -> Answer {
        self.secret("PUT", name, by, &json!({ "value": value }))
            .await
    }

    /// The names and versions of an organization.
    pub(crate) async fn list(&self, by: &Owner) -> Vec<(String, u64)> {
        let path = format!("/api/v1/orgs/{}/secrets?limit=100", by.org);
        let page = self
            .ask("GET", &path, by, &Value::Null)
            .await
            .expect(200)
            .json();
        let items = page["items"].as_array().unwrap().iter();
        let pair = |item: &Value| {
            let name = item["name"].as_str().unwrap().to_owned();
            (name, item["version"].as_u64().unwrap())
        };
        items.map(pair).collect()
    }

    /// What the host reads.
    pub(crate) async fn value(&self, of: &Owner, name: &str) -> Option<Vec<u8>> {
        let secrets = self.plane.secrets().unwrap();
        let read = secrets.secret(&ctx(of), &name.parse().unwrap()).await;
        let served = read.unwrap()?;
        Some(served.secret().value.expose_secret().to_vec())
    }
}

/// What the host has to read an organization's secrets with.
pub(crate) fn ctx(of: &Owner) -> OrgCtx {
    let org: OrgId = of.org.parse().unwrap();
    CtxIssuer::for_composition().org(org, RoleName::OWNER, Caller::system("host"))
}

/// Makes the first administrator, who owns `acme`.
pub(crate) async fn founded(plane: &ControlPlane) {
    let Bootstrap::Open(token) = plane.identity().arm_bootstrap().await.unwrap() else {
        panic!("it was founded before");
    };
    let founder = json!({
        "token": token.expose_secret(), "email": "ada@example.com", "password": PASSWORD,
        "name": "Ada", "org": { "slug": "acme", "name": "Acme" },
    });
    let (api, _) = cyprob::http::router(plane.clone()).unwrap();
    let answer = ask(&api, "POST", "/api/v1/bootstrap", None, &founder).await;
    answer.expect(201);
}

pub(crate) async fn signed_in(plane: &ControlPlane, email: &str) -> Owner {
    let body = json!({ "email": email, "password": PASSWORD });
    let (api, _) = cyprob::http::router(plane.clone()).unwrap();
    let answer = ask(&api, "POST", "/api/v1/auth/login", None, &body).await;
    let pair = answer.expect(200).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Owner {
        token: text(&pair["access_token"]),
        org: text(&pair["org"]["id"]),
    }
}

/// Asks; a body that is null is none, and one that is a text is sent as it is.
pub(crate) async fn ask(
    api: &Router,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &Value,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request = request.header(header::CONTENT_TYPE, "application/json");
    let body = match body {
        Value::Null => Body::empty(),
        Value::String(text) => Body::from(text.clone()),
        json => Body::from(json.to_string()),
    };
    let answer = api.clone().oneshot(request.body(body).unwrap()).await;
    let (head, body) = answer.unwrap().into_parts();
    let bytes = to_bytes(body, 1 << 22).await.unwrap();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}
