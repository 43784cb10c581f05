//! Where a token may stand: in one `Authorization` header and nowhere else.

use axum::body::Body;
use cyprob_core::domain::RoleName;
use http::header::{AUTHORIZATION, COOKIE};

use crate::support::{Site, allowed, error, request};

#[tokio::test]
async fn a_token_elsewhere_is_no_token() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    assert_eq!(site.get("/orgs/acme/runs", &token).await, allowed());
    for path in [
        format!("/orgs/acme/runs?access_token={token}"),
        format!("/orgs/acme/runs?token={token}"),
        format!("/orgs/acme/runs?authorization=Bearer%20{token}"),
    ] {
        let answer = site.call("GET", &path, None).await;
        assert_eq!(answer.outcome(), error(401, "invalid_token"));
    }
    for (name, value) in [
        (
            COOKIE.as_str(),
            format!("access_token={token}; token={token}"),
        ),
        ("x-access-token", token.clone()),
        ("x-authorization", format!("Bearer {token}")),
        ("proxy-authorization", format!("Bearer {token}")),
        ("x-forwarded-authorization", format!("Bearer {token}")),
    ] {
        let mut bad = request("GET", "/orgs/acme/runs", None, Body::empty());
        bad.headers_mut().insert(
            http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
            value.parse().unwrap(),
        );
        assert_eq!(
            site.send(bad).await.outcome(),
            error(401, "invalid_token"),
            "{name}"
        );
    }
    let form = format!("access_token={token}");
    let bad = request("POST", "/orgs/acme/runs", None, Body::from(form));
    assert_eq!(site.send(bad).await.outcome(), error(401, "invalid_token"));
    assert_eq!(site.calls(), 1);
}

#[tokio::test]
async fn two_headers_are_none() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    for second in [
        format!("Bearer {token}"),
        "Basic dXNlcjpw".to_owned(),
        String::new(),
    ] {
        let mut bad = request("GET", "/orgs/acme/runs", Some(&token), Body::empty());
        bad.headers_mut()
            .append(AUTHORIZATION, second.parse().unwrap());
        assert_eq!(site.send(bad).await.outcome(), error(401, "invalid_token"));
    }
    assert_eq!(site.calls(), 0);
}

#[tokio::test]
async fn odd_headers_are_refused_without_a_word_of_why() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    let last = token.len() - 1;
    let mut answers = Vec::new();
    for value in [
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer  {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {token},{token}"),
        format!("Bearer {}", &token[..last]),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {}", "A".repeat(100_000)),
        "Bearer null".to_owned(),
        "Bearer".to_owned(),
    ] {
        let mut bad = request("GET", "/me", None, Body::empty());
        bad.headers_mut()
            .insert(AUTHORIZATION, value.parse().unwrap());
        let answer = site.send(bad).await;
        assert_eq!(answer.outcome(), error(401, "invalid_token"));
        answers.push(
            answer
                .body
                .replace(answer.headers["x-request-id"].to_str().unwrap(), ""),
        );
    }
    let mut bytes = request("GET", "/me", None, Body::empty());
    let raw = http::HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap();
    bytes.headers_mut().insert(AUTHORIZATION, raw);
    assert_eq!(
        site.send(bytes).await.outcome(),
        error(401, "invalid_token")
    );
    // whatever was wrong, the client reads the same
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(site.calls(), 0);
}

#[tokio::test]
async fn a_public_route_takes_a_dead_token_for_none() {
    let site = Site::new();
    let living = site.token(RoleName::VIEWER);
    let body = async |token: Option<&str>| site.call("GET", "/open", token).await.body;
    assert_eq!(body(None).await, "stranger");
    assert_eq!(body(Some(&living)).await, "known");
    assert_eq!(body(Some("dead")).await, "stranger");
}
