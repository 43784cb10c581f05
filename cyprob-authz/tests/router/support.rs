//! A small site behind the router, and requests for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use cyprob_authz::domain::{AccessClaims, OrgClaims};
use cyprob_authz::http::{
    Auth, Authenticated, Endpoint, Inventory, Method, Org, Public, PublicRoutes, SecureRouter,
    StepUp, System, Worker, perm,
};
use cyprob_authz::ports::DenialRecorder;
use cyprob_authz::testkit::{BrokenDenials, Stand};
use cyprob_core::domain::RoleName;
use cyprob_core::ports::store::SpentStore;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

/// How often a handler ran.
pub(crate) type Calls = Arc<AtomicUsize>;

pub(crate) const PUBLIC: &str = "GET /open\nGET /panic\nPOST /panic\nGET /bare-error";

async fn open(auth: Auth<Public>, State(calls): State<Calls>) -> &'static str {
    calls.fetch_add(1, Ordering::SeqCst);
    match auth.signed_in() {
        Some(_) => "known",
        None => "stranger",
    }
}

async fn me(auth: Auth<Authenticated>, State(calls): State<Calls>) -> String {
    calls.fetch_add(1, Ordering::SeqCst);
    auth.user().user().to_string()
}

async fn password(_: Auth<StepUp<Authenticated>>, State(calls): State<Calls>) -> &'static str {
    calls.fetch_add(1, Ordering::SeqCst);
    "changed"
}

async fn read(auth: Auth<Org<perm::RunsRead>>, State(calls): State<Calls>) -> String {
    calls.fetch_add(1, Ordering::SeqCst);
    auth.org().to_string()
}

async fn create(_: Auth<Org<perm::RunsCreate>>, State(calls): State<Calls>, body: Bytes) -> String {
    calls.fetch_add(1, Ordering::SeqCst);
    body.len().to_string()
}

async fn secret(_: Auth<StepUp<Org<perm::SecretsWrite>>>, State(calls): State<Calls>) {
    calls.fetch_add(1, Ordering::SeqCst);
}

async fn orgs(_: Auth<System<perm::SystemOrgsRead>>, State(calls): State<Calls>) {
    calls.fetch_add(1, Ordering::SeqCst);
}

async fn result(auth: Auth<Worker>, State(calls): State<Calls>) -> String {
    calls.fetch_add(1, Ordering::SeqCst);
    auth.job().fence.to_string()
}

async fn broken(_: Auth<Public>) -> &'static str {
    panic!("the handler is broken")
}

async fn bare_error(_: Auth<Public>) -> (StatusCode, &'static str) {
    (StatusCode::INTERNAL_SERVER_ERROR, "select * from users")
}

pub(crate) fn routes(
    access: Arc<cyprob_authz::service::AccessControl>,
    calls: Calls,
) -> SecureRouter<Calls> {
    SecureRouter::new(access, calls)
        .get("/open", open)
        .get("/panic", broken)
        .post("/panic", broken)
        .get("/bare-error", bare_error)
        .get("/me", me)
        .post("/me/password", password)
        .get("/orgs/{org}/runs", read)
        .add(Endpoint::new(Method::Post, "/orgs/{org}/runs", create).body_limit(1_000))
        .get("/orgs/{org}/runs/{id}", read)
        .put("/orgs/{org}/secrets/{name}", secret)
        .get("/system/orgs", orgs)
        .post("/worker/runs/{run}/result", result)
}

/// The site, a person's organization in it, and how often handlers ran.
pub(crate) struct Site {
    pub(crate) stand: Stand,
    pub(crate) router: Router,
    pub(crate) inventory: Inventory,
    pub(crate) calls: Calls,
    pub(crate) org: OrgClaims,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The code of the problem; the answer must be one, in full.
    pub(crate) fn code(&self) -> String {
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(json["status"], self.status.as_u16());
        assert_eq!(
            json["request_id"],
            self.headers["x-request-id"].to_str().unwrap()
        );
        assert_eq!(self.headers["cache-control"], "no-store");
        assert_eq!(self.headers["x-content-type-options"], "nosniff");
        let challenge = self.headers.contains_key("www-authenticate");
        assert_eq!(challenge, self.status == StatusCode::UNAUTHORIZED);
        let code = json["code"].as_str().unwrap();
        assert_eq!(json["type"], format!("urn:cyprob:problem:{code}"));
        code.to_owned()
    }

    /// The status, and the code if it is an error.
    pub(crate) fn outcome(&self) -> (u16, String) {
        let code = if self.status.is_success() {
            String::new()
        } else {
            self.code()
        };
        (self.status.as_u16(), code)
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::of(Stand::new(7))
    }

    /// Whose revocations may be so old.
    pub(crate) fn with_bound(bound: Duration) -> Self {
        Self::of(Stand::with_bound(7, bound))
    }

    /// Whose trail takes no events.
    pub(crate) fn with_broken_trail() -> Self {
        let recorder: Arc<dyn DenialRecorder> = Arc::new(BrokenDenials);
        Self::of(Stand::with_denials(7, recorder))
    }

    /// That asks another store which uses are spent, or none.
    pub(crate) fn with_spent(spent: Option<Arc<dyn SpentStore>>) -> Self {
        Self::of(Stand::with_spent(7, spent))
    }

    fn of(stand: Stand) -> Self {
        let calls = Calls::default();
        let public = PublicRoutes::parse(PUBLIC).unwrap();
        let (router, inventory) = routes(Arc::clone(&stand.access), Arc::clone(&calls))
            .seal(&public)
            .unwrap();
        let org = stand.org("acme", RoleName::OWNER);
        Self {
            stand,
            router,
            inventory,
            calls,
            org,
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Claims of a new person with this role in the site's organization.
    pub(crate) fn claims(&self, role: RoleName) -> AccessClaims {
        self.stand.claims(Some(OrgClaims {
            role,
            ..self.org.clone()
        }))
    }

    pub(crate) fn token(&self, role: RoleName) -> String {
        self.stand.mint(&self.claims(role))
    }

    /// Sends it; an answer must come within ten seconds.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request);
        let response = tokio::time::timeout(Duration::from_secs(10), answer)
            .await
            .unwrap()
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Sends a request without a body.
    pub(crate) async fn call(&self, method: &str, path: &str, token: Option<&str>) -> Answer {
        self.send(request(method, path, token, Body::empty())).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, String) {
        self.call("GET", path, Some(token)).await.outcome()
    }
}

pub(crate) fn request(method: &str, path: &str, token: Option<&str>, body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(body).unwrap()
}

/// An error's outcome.
pub(crate) fn error(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A handler's answer.
pub(crate) fn allowed() -> (u16, String) {
    (200, String::new())
}
