//! Bodies behind the layer.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use cyprob_core::domain::{Revocation, RevocationEntry};
use cyprob_core::ports::RevocationFeed as _;
use http::Request;
use http::header::AUTHORIZATION;
use http_body::Frame;
use http_body_util::channel::Channel;
use http_body_util::{BodyExt as _, Full};
use tower::ServiceExt as _;

use crate::support::Both;

#[tokio::test]
async fn bodies_are_bounded_and_asked_for_again() {
    let both = Both::new();
    let claims = both.stand.claims(Some(both.org.clone()));
    let token = both.stand.mint(&claims);
    let of = "x".repeat(1_000);
    let sent = both
        .same_with("POST", "/orgs/acme/runs", Some(&token), &of)
        .await;
    assert!(sent.text.unwrap().ends_with(" 1000"));
    let sent = both
        .same_with("POST", "/orgs/acme/runs", Some(&token), &"x".repeat(1_001))
        .await;
    assert_eq!(sent.status, 413);

    // of no stated length: the service is reached, and its body fails
    let long = Full::new(Bytes::from("x".repeat(1_001))).map_frame(|frame| frame);
    let request = Request::post("/orgs/acme/runs")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(long)
        .unwrap();
    let answer = both.layer.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 413);

    let (mut parts, body) = Channel::<Bytes, Infallible>::new(8);
    let request = Request::post("/orgs/acme/runs")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(body)
        .unwrap();
    let reached = both.reached();
    let answer = tokio::spawn(both.layer.clone().oneshot(request));
    let part = || Frame::data(Bytes::from_static(b"part"));
    parts.send(part()).await.unwrap();
    while both.reached() == reached {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    let entry = RevocationEntry {
        what: Revocation::Session(claims.session),
        expires_at: claims.expires_at,
    };
    both.stand.revocations.publish(&[entry]);
    parts.send(part()).await.unwrap();
    drop(parts);
    // the token died meanwhile, so the answer is that, and not that the service failed
    assert_eq!(answer.await.unwrap().unwrap().status(), 401);
}
