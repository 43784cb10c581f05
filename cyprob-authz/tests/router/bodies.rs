//! Bodies: their bound, and that nobody reads one who may not call.

use axum::body::Body;
use cyprob_core::domain::RoleName;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;

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
