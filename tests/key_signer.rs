//! A control plane whose token keys are on another machine, which fails or does not answer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use cyprob::authz::adapters::MemoryKeys;
use cyprob::authz::domain::{KeyPlan, KeyPurpose, NewKey, RootKeyId};
use cyprob::authz::ports::{
    CustodyError, KeyCustody, PlanOutcome, PlanVersion, SignError, StoredPlan, TokenSigner,
    WaitingEvent,
};
use cyprob::core::adapters::argon2::{Argon2Options, Argon2Pool};
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::domain::Timestamp;
use cyprob::core::service::Bootstrap;
use cyprob::core::testkit::ManualClock;
use cyprob::{ControlPlane, DeploymentKeys, Stores};
use secrecy::{ExposeSecret as _, SecretBox};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// How the other machine is.
#[derive(Debug, Default)]
struct State {
    fails: AtomicBool,
    hangs: AtomicBool,
}

#[derive(Debug)]
struct Remote {
    kept: MemoryKeys,
    state: Arc<State>,
}

#[derive(Debug)]
struct Signer {
    kept: Arc<dyn TokenSigner>,
    state: Arc<State>,
}

impl Remote {
    async fn asked(&self) {
        if self.state.hangs.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }
}

#[async_trait]
impl TokenSigner for Signer {
    fn id(&self) -> RootKeyId {
        self.kept.id()
    }

    fn public(&self) -> [u8; 32] {
        self.kept.public()
    }

    async fn ready(&self) -> Result<(), SignError> {
        match self.state.fails.load(Ordering::SeqCst) {
            true => Err(SignError::new("cut off")),
            false => Ok(()),
        }
    }

    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        self.ready().await?;
        self.kept.sign(message).await
    }
}

#[async_trait]
impl KeyCustody for Remote {
    async fn plan(&self, purpose: KeyPurpose, at: Timestamp) -> Result<StoredPlan, CustodyError> {
        self.asked().await;
        self.kept.plan(purpose, at).await
    }

    async fn create(&self, purpose: KeyPurpose, at: Timestamp) -> Result<NewKey, CustodyError> {
        self.asked().await;
        self.kept.create(purpose, at).await
    }

    async fn change(
        &self,
        purpose: KeyPurpose,
        expected: PlanVersion,
        plan: &KeyPlan,
        unrecorded: &[WaitingEvent],
        at: Timestamp,
    ) -> Result<PlanOutcome, CustodyError> {
        self.asked().await;
        let changed = self.kept.change(purpose, expected, plan, unrecorded, at);
        changed.await
    }

    async fn signer(
        &self,
        purpose: KeyPurpose,
        id: RootKeyId,
    ) -> Result<Option<Arc<dyn TokenSigner>>, CustodyError> {
        self.asked().await;
        let kept = self.kept.signer(purpose, id).await?;
        let state = Arc::clone(&self.state);
        Ok(kept.map(|kept| Arc::new(Signer { kept, state }) as _))
    }
}

struct Node {
    api: Router,
    plane: ControlPlane,
    clock: Arc<ManualClock>,
    remote: Arc<State>,
}

impl Node {
    async fn new() -> Self {
        let remote = Arc::new(State::default());
        let custody = Remote {
            kept: MemoryKeys::new(SecretBox::new(Box::new([7; 32]))),
            state: Arc::clone(&remote),
        };
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
        Self {
            api,
            plane,
            clock,
            remote,
        }
    }

    async fn ask(&self, path: &str, body: Value) -> (u16, Value) {
        let method = if body.is_null() { "GET" } else { "POST" };
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let body = match body {
            Value::Null => Body::empty(),
            body => Body::from(body.to_string()),
        };
        let answer = self.api.clone().oneshot(request.body(body).unwrap());
        let (head, body) = answer.await.unwrap().into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        (head.status.as_u16(), json)
    }
}

#[tokio::test]
async fn while_nothing_signs_nothing_is_committed() {
    let node = Node::new().await;
    let Bootstrap::Open(token) = node.plane.identity().arm_bootstrap().await.unwrap() else {
        panic!("it was founded before");
    };
    let founder = json!({
        "token": token.expose_secret(), "email": "ada@example.com",
        "password": "mossy lantern harbour", "name": "Ada",
        "org": { "slug": "acme", "name": "Acme" },
    });
    assert_eq!(node.ask("/api/v1/bootstrap", founder).await.0, 201);
    let login = json!({ "email": "ada@example.com", "password": "mossy lantern harbour" });
    let (status, pair) = node.ask("/api/v1/auth/login", login.clone()).await;
    assert_eq!(status, 200);
    let refresh = json!({ "refresh_token": pair["refresh_token"] });

    node.remote.fails.store(true, Ordering::SeqCst);
    assert_eq!(node.ask("/api/v1/auth/login", login).await.0, 503);
    assert_eq!(
        node.ask("/api/v1/auth/refresh", refresh.clone()).await.0,
        503
    );
    // Were it exchanged for another, it would be refused after the grace.
    node.clock.advance(Duration::from_secs(600));
    assert_eq!(
        node.ask("/api/v1/auth/refresh", refresh.clone()).await.0,
        503
    );
    node.remote.fails.store(false, Ordering::SeqCst);
    let (status, pair) = node.ask("/api/v1/auth/refresh", refresh.clone()).await;
    assert_eq!(status, 200);
    assert_ne!(pair["refresh_token"], refresh["refresh_token"]);
}

#[tokio::test]
async fn a_custody_that_hangs_is_told_of_and_holds_up_no_end() {
    let node = Node::new().await;
    let background = node.plane.start().await.unwrap();
    node.remote.hangs.store(true, Ordering::SeqCst);
    assert_eq!(node.ask("/readyz", Value::Null).await.0, 200);
    // By now it is in the middle of a question.
    tokio::time::sleep(Duration::from_secs(6)).await;
    node.clock.advance(Duration::from_secs(61));
    let (status, body) = node.ask("/readyz", Value::Null).await;
    assert_eq!(status, 503);
    assert_eq!(body["components"]["keys"], "down");
    let ended = tokio::time::timeout(Duration::from_secs(4), background.stop());
    ended.await.unwrap().unwrap();
}
