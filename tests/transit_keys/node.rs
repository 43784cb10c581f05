//! A control plane whose token keys are in an engine, and its API.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use cyprob::authz::ports::KeyCustody;
use cyprob::core::adapters::argon2::{Argon2Options, Argon2Pool};
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::domain::Timestamp;
use cyprob::core::ports::Clock as _;
use cyprob::core::service::Bootstrap;
use cyprob::core::testkit::ManualClock;
use cyprob::{ControlPlane, DeploymentKeys, Stores};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) struct Node {
    api: Router,
    pub(crate) plane: ControlPlane,
    pub(crate) clock: Arc<ManualClock>,
}

impl Node {
    /// With one person, Ada.
    pub(crate) async fn new(custody: impl KeyCustody) -> Self {
        let keys = DeploymentKeys::ephemeral(&SystemEntropy).with_token_keys(Arc::new(custody));
        let pool = Argon2Pool::start(Argon2Options::testing(), Arc::new(SystemEntropy));
        let clock = Arc::new(ManualClock::default());
        let built = ControlPlane::builder()
            .stores(Stores::memory(Arc::new(SystemEntropy)))
            .keys(keys)
            .hasher(Arc::new(pool.unwrap()))
            .clock(Arc::clone(&clock) as _)
            .build();
        let plane = built.await.unwrap();
        let (api, _) = cyprob::http::router(plane.clone()).unwrap();
        let node = Self { api, plane, clock };
        let Bootstrap::Open(token) = node.plane.identity().arm_bootstrap().await.unwrap() else {
            panic!("it was founded before");
        };
        let founder = json!({
            "token": token.expose_secret(), "email": "ada@example.com",
            "password": "mossy lantern harbour", "name": "Ada",
            "org": { "slug": "acme", "name": "Acme" },
        });
        assert_eq!(node.post("/api/v1/bootstrap", founder).await.0, 201);
        node
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn ask(&self, request: Request<Body>) -> (u16, Value) {
        let answer = self.api.clone().oneshot(request);
        let (head, body) = answer.await.unwrap().into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        (head.status.as_u16(), json)
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.ask(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Ada's own session, by a token.
    pub(crate) async fn me(&self, pair: &Value) -> u16 {
        let bearer = format!("Bearer {}", token(pair));
        let request = Request::get("/api/v1/me").header(header::AUTHORIZATION, bearer);
        self.ask(request.body(Body::empty()).unwrap()).await.0
    }

    pub(crate) async fn log_in(&self) -> (u16, Value) {
        let login = json!({ "email": "ada@example.com", "password": "mossy lantern harbour" });
        self.post("/api/v1/auth/login", login).await
    }
}

pub(crate) fn token(pair: &Value) -> &str {
    pair["access_token"].as_str().unwrap()
}
