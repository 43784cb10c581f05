//! Bodies: their bound, and that nobody reads one who may not call.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use cyprob_core::domain::RoleName;
use cyprob_core::domain::{Revocation, RevocationEntry};
use cyprob_core::ports::RevocationFeed as _;
use http::header::CONTENT_LENGTH;
use http_body::Frame;
use http_body_util::BodyExt as _;
use http_body_util::channel::Channel;

use crate::support::{Site, allowed, error, request};

/// A body of unknown length, as a chunked one is; it panics if it is read where it must not be.
fn chunked(bytes: usize, forbidden: bool) -> Body {
    let full = Body::from(vec![b'x'; bytes]);
    let frames = full.map_frame(move |frame| {
        assert!(!forbidden, "the body was read");
        frame
    });
    Body::new(frames)
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_refused_unread() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    for length in ["1001", "18446744073709551615"] {
        let body = chunked(1_001, true);
        let mut big = request("POST", "/orgs/acme/runs", Some(&token), body);
        big.headers_mut()
            .insert(CONTENT_LENGTH, length.parse().unwrap());
        assert_eq!(site.send(big).await.outcome(), error(413, "too_large"));
    }
    assert_eq!(site.calls(), 0);
}

#[tokio::test]
async fn an_undeclared_length_is_counted() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    let sent = async |bytes| {
        let body = chunked(bytes, false);
        let answer = site
            .send(request("POST", "/orgs/acme/runs", Some(&token), body))
            .await;
        answer.outcome()
    };
    assert_eq!(sent(1_000).await, allowed());
    assert_eq!(sent(1_001).await, error(413, "too_large"));
    assert_eq!(sent(1 << 20).await, error(413, "too_large"));
}

#[tokio::test]
async fn a_length_that_lies_low_does_not_pass_the_bound() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    let mut liar = request(
        "POST",
        "/orgs/acme/runs",
        Some(&token),
        chunked(5_000, false),
    );
    liar.headers_mut()
        .insert(CONTENT_LENGTH, "10".parse().unwrap());
    assert_eq!(site.send(liar).await.outcome(), error(413, "too_large"));
}

#[tokio::test]
async fn nobody_s_body_is_read_who_may_not_call() {
    let site = Site::new();
    let viewer = site.token(RoleName::VIEWER);
    for (path, token, expected) in [
        ("/orgs/acme/runs", None, error(401, "invalid_token")),
        ("/orgs/acme/runs", Some("dead"), error(401, "invalid_token")),
        ("/orgs/globex/runs", Some(&*viewer), error(404, "not_found")),
        ("/orgs/acme/runs", Some(&*viewer), error(403, "forbidden")),
        ("/nothing", Some(&*viewer), error(404, "not_found")),
    ] {
        let answer = site
            .send(request("POST", path, token, chunked(500, true)))
            .await;
        assert_eq!(answer.outcome(), expected);
        // who may not call does not learn the limit either
        let mut big = request("POST", path, token, chunked(500, true));
        big.headers_mut()
            .insert(CONTENT_LENGTH, "1001".parse().unwrap());
        assert_eq!(site.send(big).await.outcome(), expected);
    }
    assert_eq!(site.calls(), 0);
}

/// A body whose parts are sent while the request is under way.
fn by_and_by() -> (http_body_util::channel::Sender<Bytes, Infallible>, Body) {
    let (parts, body) = Channel::new(8);
    (parts, Body::new(body))
}

async fn part(to: &mut http_body_util::channel::Sender<Bytes, Infallible>) {
    let sent = to.send(Frame::data(Bytes::from_static(b"part")));
    sent.await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
}

#[tokio::test]
async fn a_body_that_comes_in_parts_is_taken() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    let (mut parts, body) = by_and_by();
    let sending = site.send(request("POST", "/orgs/acme/runs", Some(&token), body));
    let (answer, ()) = tokio::join!(sending, async {
        part(&mut parts).await;
        part(&mut parts).await;
        drop(parts);
    });
    assert_eq!((answer.outcome(), answer.body.as_str()), (allowed(), "8"));
    assert_eq!(site.calls(), 1);
}

#[tokio::test]
async fn a_token_that_dies_while_the_body_comes_changes_nothing() {
    let site = Site::new();
    let claims = site.claims(RoleName::OWNER);
    let token = site.stand.mint(&claims);
    let (mut parts, body) = by_and_by();
    let sending = site.send(request("POST", "/orgs/acme/runs", Some(&token), body));
    let (answer, ()) = tokio::join!(sending, async {
        part(&mut parts).await;
        let expires_at = site.stand.now().after(Duration::from_secs(900));
        let what = Revocation::Session(claims.session);
        let entry = RevocationEntry { what, expires_at };
        site.stand.revocations.publish(&[entry]);
        part(&mut parts).await;
        drop(parts);
    });
    assert_eq!(answer.outcome(), error(401, "invalid_token"));
    assert_eq!(site.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    let (mut parts, body) = by_and_by();
    let asked = request("POST", "/orgs/acme/runs", Some(&token), body);
    let sending = tokio::spawn({
        use tower::ServiceExt as _;
        site.router.clone().oneshot(asked)
    });
    part(&mut parts).await;
    let before = tokio::time::Instant::now();
    let answer = sending.await.unwrap().unwrap();
    assert_eq!(answer.status(), 408);
    let waited = before.elapsed();
    assert!(waited > Duration::from_secs(40) && waited < Duration::from_secs(50));
    assert_eq!(site.calls(), 0);
}
