//! Nobody holds thousands.

use std::time::Duration;

use axum::body::Body;
use cyprob_authz::domain::{AccessClaims, ServiceClaims};
use cyprob_core::domain::Revocation;
use http::Request;
use http::header::AUTHORIZATION;
use tower::ServiceExt as _;

use crate::support::{Client, Site};

const EVENTS: &str = "/orgs/acme/events";
const SOCKET: &str = "/orgs/acme/socket";

async fn opened(site: &Site, token: &str, count: usize) -> Vec<Client> {
    let mut all = Vec::new();
    for number in 0..count {
        let path = [EVENTS, SOCKET][number % 2];
        let client = site.get(path, token).await;
        assert!([200, 101].contains(&client.status()), "{number}");
        all.push(client);
    }
    all
}

async fn refused(site: &Site, token: &str) {
    for path in [EVENTS, SOCKET] {
        let mut refused = site.get(path, token).await;
        assert_eq!(refused.status(), 429, "{path}");
        assert_eq!(refused.header("retry-after"), Some("5"));
        if path == EVENTS {
            let body = refused.rest().await;
            assert!(body.contains("\"code\":\"slow_down\""), "{body}");
        }
    }
}

/// Waits until a place is free again and gives the connection that took it.
async fn soon(site: &Site, token: &str) -> Client {
    for _ in 0..100 {
        let client = site.get(EVENTS, token).await;
        if client.status() == 200 {
            return client;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no place becomes free")
}

#[tokio::test]
async fn a_session_holds_sixteen_and_no_other_is_affected() {
    let site = Site::new().await;
    let claims = site.claims();
    // two tokens of one session share its places
    let (token, second) = (site.stand.mint(&claims), site.stand.mint(&claims));
    let mut held = opened(&site, &token, 16).await;
    refused(&site, &token).await;
    refused(&site, &second).await;
    // what is no connection is served as ever
    assert_eq!(site.get("/orgs/acme/download", &token).await.status(), 200);
    let other = site.stand.mint(&site.claims());
    let others = opened(&site, &other, 16).await;
    // a client that goes away frees its place, an idle socket's too
    for idle in [0, 0] {
        drop(held.remove(idle));
        held.push(soon(&site, &second).await);
        refused(&site, &token).await;
    }
    drop((held, others));
    site.empty().await;
}

#[tokio::test]
async fn a_person_holds_sixty_four_over_all_sessions() {
    let site = Site::new().await;
    let person = site.claims();
    let session = || {
        site.stand.mint(&AccessClaims {
            session: site.claims().session,
            ..person.clone()
        })
    };
    let mut held = Vec::new();
    for _ in 0..4 {
        held.extend(opened(&site, &session(), 16).await);
    }
    refused(&site, &session()).await;
    drop(held.pop());
    held.push(soon(&site, &session()).await);
    drop(held);
    site.empty().await;
}

#[tokio::test]
async fn a_machine_holds_sixteen_over_all_its_keys() {
    let site = Site::new().await;
    let claims = site.stand.service(site.org.clone());
    let other_key = ServiceClaims {
        key: site.stand.service(site.org.clone()).key,
        ..claims.clone()
    };
    let held = opened(&site, &site.stand.mint_service(&claims), 16).await;
    refused(&site, &site.stand.mint_service(&other_key)).await;
    let other = site.stand.service(site.org.clone());
    drop(opened(&site, &site.stand.mint_service(&other), 1).await);
    drop(held);
    site.empty().await;
}

fn asked(method: &str, path: &str, token: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn who_leaves_before_the_answer_keeps_no_place() {
    let site = Site::new().await;
    let token = site.stand.mint(&site.claims());
    for _ in 0..2 {
        let request = asked("GET", "/orgs/acme/never", &token);
        let mut answer = Box::pin(site.router.clone().oneshot(request));
        let waited = tokio::time::timeout(Duration::from_millis(50), &mut answer).await;
        assert!(waited.is_err());
        // the session and its person
        assert_eq!(site.holders(), 2);
        drop(answer);
        site.empty().await;
    }
}

#[tokio::test]
async fn a_change_that_runs_on_without_its_client_keeps_no_place() {
    let site = Site::new().await;
    let token = site.stand.mint(&site.claims());
    let request = asked("POST", "/orgs/acme/again", &token);
    let mut answer = Box::pin(site.router.clone().oneshot(request));
    let waited = tokio::time::timeout(Duration::from_millis(50), &mut answer).await;
    assert!(waited.is_err());
    assert_eq!(site.holders(), 2);
    drop(answer);
    // its handler goes on, holds its proof and opens another: nobody is there to be answered
    let running = site.stand.access.in_flight();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(40)).await;
        assert_eq!(site.holders(), 0);
    }
    tokio::time::timeout(Duration::from_secs(5), running.drained())
        .await
        .unwrap();
    site.empty().await;
}

#[tokio::test]
async fn who_reads_nothing_keeps_no_place_when_the_token_has_ended() {
    let site = Site::new().await;
    let claims = site.claims();
    let token = site.stand.mint(&claims);
    let mut held = Vec::new();
    for _ in 0..16 {
        held.push(site.get("/orgs/acme/flood", &token).await);
    }
    refused(&site, &token).await;
    // every buffer on the way is full, and nobody asks the bodies for more
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(site.holders(), 2);
    site.revoke(Revocation::Session(claims.session));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(site.holders(), 0);
    // the person signs in again and has all places, and what is closed frees none twice
    let again = site.stand.mint(&AccessClaims {
        session: site.claims().session,
        ..claims
    });
    let others = opened(&site, &again, 16).await;
    drop(held);
    tokio::time::sleep(Duration::from_millis(200)).await;
    refused(&site, &again).await;
    drop(others);
    site.empty().await;
}
