//! A deployment's own settings hold for connections: how tokens are checked, and how many may be open.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, header};
use axum::response::IntoResponse;
use cyprob::authz::http::{Auth, Authenticated, PublicRoutes, SecureRouter};
use cyprob::authz::service::ConnectionLimits;
use cyprob::core::adapters::argon2::{Argon2Options, Argon2Pool};
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::service::Bootstrap;
use cyprob::core::testkit::ManualClock;
use cyprob::{CheckMode, ControlPlane, DeploymentKeys, Stores};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Events on which nothing comes.
async fn events(_: Auth<Authenticated>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/event-stream")];
    (kind, Body::new(Silence))
}

struct Silence;

impl axum::body::HttpBody for Silence {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

struct Node {
    api: Router,
    own: Router,
    plane: ControlPlane,
}

async fn node(stores: &Stores, keys: &DeploymentKeys, clock: &Arc<ManualClock>) -> Node {
    let pool = Argon2Pool::start(Argon2Options::testing(), Arc::new(SystemEntropy));
    let limits = ConnectionLimits {
        per_caller: 2,
        per_person: 3,
    };
    let built = ControlPlane::builder()
        .stores(stores.clone())
        .keys(keys.clone())
        .hasher(Arc::new(pool.unwrap()))
        .clock(Arc::clone(clock) as _)
        .check(CheckMode::Strict)
        .connections(limits)
        .build();
    let plane = built.await.unwrap();
    let (api, _) = cyprob::http::router(plane.clone()).unwrap();
    let (own, _) = SecureRouter::new(Arc::clone(plane.access()), ())
        .get("/events", events)
        .seal(&PublicRoutes::default())
        .unwrap();
    Node { api, own, plane }
}

async fn ask(router: &Router, path: &str, token: Option<&str>, body: Value) -> (u16, Body) {
    let method = if body.is_null() { "GET" } else { "POST" };
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request = request.header(header::CONTENT_TYPE, "application/json");
    let body = match body {
        Value::Null => Body::empty(),
        body => Body::from(body.to_string()),
    };
    let answer = router.clone().oneshot(request.body(body).unwrap());
    let (head, body) = answer.await.unwrap().into_parts();
    (head.status.as_u16(), body)
}

async fn founded(node: &Node) {
    let Bootstrap::Open(token) = node.plane.identity().arm_bootstrap().await.unwrap() else {
        panic!("it was founded before");
    };
    let body = json!({
        "token": token.expose_secret(), "email": "ada@example.com",
        "password": "mossy lantern harbour", "name": "Ada",
        "org": { "slug": "acme", "name": "Acme" },
    });
    let (status, _) = ask(&node.api, "/api/v1/bootstrap", None, body).await;
    assert_eq!(status, 201);
}

async fn signed_in(node: &Node) -> String {
    let body = json!({ "email": "ada@example.com", "password": "mossy lantern harbour" });
    let (status, body) = ask(&node.api, "/api/v1/auth/login", None, body).await;
    assert_eq!(status, 200);
    let json: Value = serde_json::from_slice(&to_bytes(body, 1 << 20).await.unwrap()).unwrap();
    json["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_deployment_sets_how_many_connections_are_open() {
    let keys = DeploymentKeys::ephemeral(&SystemEntropy);
    let stores = Stores::memory(Arc::new(SystemEntropy));
    let node = node(&stores, &keys, &Arc::default()).await;
    founded(&node).await;
    let (one, two) = (signed_in(&node).await, signed_in(&node).await);
    let mut held = Vec::new();
    for (token, expected) in [
        (&one, 200),
        (&one, 200),
        (&one, 429),
        (&two, 200),
        (&two, 429),
    ] {
        let (status, body) = ask(&node.own, "/events", Some(token), Value::Null).await;
        assert_eq!(status, expected);
        held.extend((status == 200).then_some(body));
    }
}

#[tokio::test]
async fn where_the_store_is_asked_what_another_node_ended_ends_here() {
    let keys = DeploymentKeys::ephemeral(&SystemEntropy);
    let stores = Stores::memory(Arc::new(SystemEntropy));
    let clock = Arc::new(ManualClock::default());
    let here = node(&stores, &keys, &clock).await;
    let there = node(&stores, &keys, &clock).await;
    founded(&here).await;
    let token = signed_in(&here).await;
    let (status, body) = ask(&here.own, "/events", Some(&token), Value::Null).await;
    assert_eq!(status, 200);
    let mut stream = tokio::spawn(to_bytes(body, 1 << 20));
    let (status, _) = ask(&there.api, "/api/v1/auth/logout", Some(&token), json!({})).await;
    assert_eq!(status, 204);
    // nobody told this node, and it asks every five seconds
    let waited = Duration::from_millis(1_500);
    assert!(tokio::time::timeout(waited, &mut stream).await.is_err());
    clock.advance(Duration::from_secs(5));
    let ended = tokio::time::timeout(Duration::from_secs(3), stream).await;
    assert!(ended.unwrap().unwrap().unwrap().is_empty());
}
