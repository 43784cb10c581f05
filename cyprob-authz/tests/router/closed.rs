//! What answers without a policy, and what the router answers by itself.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use cyprob_authz::http::{Auth, Org, PublicRoutes, SecureRouter, closed, perm};
use cyprob_core::domain::RoleName;
use tower::ServiceExt as _;

use crate::support::{Site, allowed, error, request};

#[tokio::test]
async fn a_raw_route_beside_the_router_stays_closed() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    // a nested service is the way around `Router::route` that no lint sees
    let raw = Router::new().fallback(async || "anyone");
    let nested = Router::new()
        .nest("/raw", raw.clone())
        .merge(site.router.clone());
    let router = closed(nested, &site.stand.access);
    for path in ["/raw", "/raw/x"] {
        let asked = request("GET", path, Some(&token), Body::empty());
        let answer = router.clone().oneshot(asked).await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let asked = request("GET", "/me", Some(&token), Body::empty());
    let answer = router.clone().oneshot(asked).await.unwrap();
    assert_eq!(answer.status(), 200);
    // a raw fallback is none of the policies either
    let replaced = closed(raw, &site.stand.access);
    let asked = request("GET", "/me", Some(&token), Body::empty());
    assert_eq!(replaced.oneshot(asked).await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_handler_that_panics_is_an_internal_error() {
    let site = Site::new();
    for method in ["GET", "POST"] {
        let answer = site.call(method, "/panic", None).await;
        assert_eq!(answer.outcome(), error(500, "internal"));
        assert!(!answer.body.contains("broken"));
    }
    // nothing hangs after it
    let idle = tokio::time::timeout(
        Duration::from_secs(5),
        site.stand.access.in_flight().drained(),
    );
    idle.await.unwrap();
    assert_eq!(site.call("GET", "/open", None).await.status, 200);
}

/// A handler that panics when it is called, before there is anything to wait for.
#[derive(Clone)]
struct Broken;

impl Handler<((), Auth<Org<perm::RunsRead>>), ()> for Broken {
    type Future = std::future::Ready<Response>;

    fn call(self, _: Request, (): ()) -> Self::Future {
        panic!("the handler is broken")
    }
}

#[tokio::test]
async fn a_handler_that_panics_when_it_is_called_is_an_internal_error() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    let path = "/orgs/{org}/broken";
    let router = SecureRouter::new(Arc::clone(&site.stand.access), ())
        .get(path, Broken)
        .delete(path, Broken);
    let (router, _) = router.seal(&PublicRoutes::default()).unwrap();
    // the token is verified once, and known then
    for method in ["GET", "DELETE", "GET", "DELETE"] {
        let asked = request(method, "/orgs/acme/broken", Some(&token), Body::empty());
        let answer = router.clone().oneshot(asked).await.unwrap();
        assert_eq!(answer.status(), 500, "{method}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert!(answer.headers().contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn a_bare_error_becomes_a_problem_without_its_text() {
    let site = Site::new();
    let answer = site.call("GET", "/bare-error", None).await;
    assert_eq!(answer.outcome(), error(500, "internal"));
    assert!(!answer.body.contains("select"));
}

#[tokio::test]
async fn a_wrong_method_is_405_and_a_wrong_path_404() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    for token in [None, Some(&*token)] {
        let answer = site.call("DELETE", "/orgs/acme/runs", token).await;
        assert_eq!(answer.outcome(), error(405, "method_not_allowed"));
        let mut allow: Vec<_> = answer.headers["allow"]
            .to_str()
            .unwrap()
            .split(',')
            .collect();
        allow.sort_unstable();
        assert_eq!(allow, ["GET", "HEAD", "POST"]);
        for odd in ["BREW", "OPTIONS", "TRACE", "CONNECT", "get"] {
            let answer = site.call(odd, "/orgs/acme/runs", token).await;
            assert_eq!(answer.outcome(), error(405, "method_not_allowed"), "{odd}");
        }
        for path in [
            "/",
            "/orgs",
            "/orgs/acme/runs/",
            "//me",
            "/me/",
            "/%6De/",
            "/ME",
        ] {
            let answer = site.call("GET", path, token).await;
            assert_eq!(answer.outcome(), error(404, "not_found"), "{path}");
        }
    }
    // an empty name is a name, of no organization
    assert_eq!(
        site.get("/orgs//runs", &token).await,
        error(404, "not_found")
    );
    assert_eq!(site.calls(), 0);
}

#[tokio::test]
async fn head_is_a_get_without_its_body() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    let answer = site.call("HEAD", "/orgs/acme/runs", Some(&token)).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    assert_eq!(site.calls(), 1);
    for (path, token, status) in [
        ("/orgs/acme/runs", None, 401),
        ("/orgs/globex/runs", Some(&*token), 404),
        ("/system/orgs", Some(&*token), 403),
        ("/nothing", None, 404),
        ("/me/password", None, 405),
        ("/panic", None, 500),
    ] {
        let answer = site.call("HEAD", path, token).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (status, ""),
            "{path}"
        );
        assert!(answer.headers.contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn a_change_ends_though_its_client_has_gone() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    let body = Body::from("x".repeat(10));
    let asked = request("POST", "/orgs/acme/runs", Some(&token), body);
    let answer = site.router.clone().oneshot(asked);
    // dropped after it began to run
    let _ = tokio::time::timeout(Duration::ZERO, answer).await;
    let idle = tokio::time::timeout(
        Duration::from_secs(5),
        site.stand.access.in_flight().drained(),
    );
    idle.await.unwrap();
    assert_eq!(site.calls(), 1);
}

#[tokio::test]
async fn requests_have_ids_of_their_own() {
    let site = Arc::new(Site::new());
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let answer = site.call("GET", "/open", None).await;
        assert_eq!((answer.status.as_u16(), String::new()), allowed());
        assert!(seen.insert(answer.headers["x-request-id"].to_str().unwrap().to_owned()));
    }
    // a client does not choose it
    let mut asked = request("GET", "/open", None, Body::empty());
    asked
        .headers_mut()
        .insert("x-request-id", "mine".parse().unwrap());
    assert_ne!(site.send(asked).await.headers["x-request-id"], "mine");
}
