//! What services behind the layer are given, and what becomes of their answers.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use cyprob_authz::http::{Auth, PathNames, PublicRoutes};
use cyprob_authz::testkit::Stand;
use cyprob_core::domain::{Revocation, RevocationEntry, RoleName};
use cyprob_core::ports::RevocationFeed as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use http_body_util::channel::Channel;
use tower::{Layer as _, ServiceExt as _};

use crate::support::{Create, PUBLIC, Read, policies};

#[tokio::test]
async fn the_service_finds_the_names_that_were_checked_and_what_came_with_the_request() {
    #[derive(Clone)]
    struct Mark;
    let stand = Stand::new(11);
    let (layer, _) = policies(&stand)
        .seal(&PublicRoutes::parse(PUBLIC).unwrap())
        .unwrap();
    let look = |request: Request<Body>| async move {
        let extensions = request.extensions();
        assert!(extensions.get::<Mark>().is_some());
        let names = PathNames::of(extensions).unwrap();
        let text = format!("{:?} {:?}", names.get("org"), names.get("id"));
        // the router in front leaves nothing of its own, which one further in would read
        assert!(extensions.get::<axum::extract::MatchedPath>().is_none());
        assert!(extensions.get::<axum::extract::OriginalUri>().is_none());
        Ok::<_, Infallible>(Response::new(Body::from(text)))
    };
    let service = layer.layer(tower::service_fn(look));
    let token = stand.token("acme", RoleName::OWNER);
    let mut request = Request::get("/orgs/%61cme/runs/a%2Fb")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    request.extensions_mut().insert(Mark);
    let answer = service.oneshot(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, r#"Some("acme") Some("a/b")"#);
}

#[tokio::test]
async fn a_router_behind_the_layer_takes_the_proof_as_a_handler_does() {
    async fn own(
        auth: Auth<Read>,
        axum::extract::Path(org): axum::extract::Path<String>,
    ) -> String {
        format!("{org} {}", auth.org())
    }
    async fn wrong(_: Auth<Create>) {}
    let stand = Stand::new(11);
    let (layer, _) = policies(&stand)
        .seal(&PublicRoutes::parse(PUBLIC).unwrap())
        .unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "its routes stand behind the layer"
    )]
    let inner = Router::new()
        .route("/orgs/{org}/runs", axum::routing::get(own).post(wrong))
        .route("/orgs/{org}/runs/{id}", axum::routing::get(wrong));
    let service = layer.layer(inner);
    let org = stand.org("acme", RoleName::OWNER);
    let id = org.id;
    let token = stand.mint(&stand.claims(Some(org)));
    let call = async |path: &str| {
        let request = Request::get(path)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        let answer = service.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let expected = (StatusCode::OK, format!("acme {id}"));
    assert_eq!(call("/orgs/acme/runs").await, expected);
    // the layer checked another policy than this handler names
    assert_eq!(call("/orgs/acme/runs/7").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_service_that_fails_or_panics_is_an_internal_error() {
    let stand = Stand::new(11);
    let (layer, _) = policies(&stand)
        .seal(&PublicRoutes::parse(PUBLIC).unwrap())
        .unwrap();
    let fails = |_: Request<Body>| async {
        Err::<Response<Body>, _>(std::io::Error::other("select * from users"))
    };
    let panics = |request: Request<Body>| async move {
        if request.uri() == "/open" {
            panic!("broken");
        }
        Ok::<_, Infallible>(Response::new(Body::empty()))
    };
    let request = || Request::get("/open").body(Body::empty()).unwrap();
    let failed = layer.layer(tower::service_fn(fails)).oneshot(request());
    let panicked = layer.layer(tower::service_fn(panics)).oneshot(request());
    for answer in [failed.await.unwrap(), panicked.await.unwrap()] {
        assert_eq!(answer.status(), 500);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("\"code\":\"internal\"") && !text.contains("users"));
    }
}

#[tokio::test]
async fn an_event_stream_behind_the_layer_ends_with_its_token() {
    let stand = Stand::new(11);
    let (layer, _) = policies(&stand)
        .seal(&PublicRoutes::parse(PUBLIC).unwrap())
        .unwrap();
    let stream = |_: Request<Body>| async {
        let (to, body) = Channel::<Bytes, Infallible>::new(1);
        let body = body.map_frame(move |frame| {
            let _held = &to;
            frame
        });
        let mut answer = Response::new(body);
        let kind = "text/event-stream".parse().unwrap();
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        Ok::<_, Infallible>(answer)
    };
    let service = layer.layer(tower::service_fn(stream));
    let claims = stand.claims(Some(stand.org("acme", RoleName::OWNER)));
    let token = stand.mint(&claims);
    let open = || {
        let request = Request::get("/orgs/acme/runs")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        service.clone().oneshot(request)
    };
    let mut held = Vec::new();
    for _ in 0..16 {
        let answer = open().await.unwrap();
        assert_eq!(answer.status(), 200);
        held.push(answer.into_body());
    }
    assert_eq!(open().await.unwrap().status(), 429);
    let entry = RevocationEntry {
        what: Revocation::Session(claims.session),
        expires_at: claims.expires_at,
    };
    stand.revocations.publish(&[entry]);
    for body in held {
        let rest = tokio::time::timeout(Duration::from_secs(2), body.collect());
        assert!(rest.await.unwrap().unwrap().to_bytes().is_empty());
    }
    assert_eq!(stand.access.connections().holders(), 0);
}
