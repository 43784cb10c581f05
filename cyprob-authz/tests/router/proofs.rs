//! What of a proof stays with its request.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use cyprob_authz::http::{
    Auth, Authenticated, Org, PathNames, Problem, Public, PublicRoutes, SecureRouter, StepUp, perm,
};
use cyprob_authz::testkit::{Narrow, Stand, narrow};
use cyprob_core::domain::RoleName;
use http::StatusCode;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::support::request;

type Read = Org<perm::RunsRead>;

/// Which of the policies the request's proof is for.
fn told<P>(proof: Result<Auth<P>, Problem>) -> char
where
    P: cyprob_authz::http::Policy,
{
    if proof.is_ok() { 'x' } else { '-' }
}

fn proofs(request: &Request) -> String {
    let all = request.extensions();
    [
        told(Auth::<Read>::of(all)),
        told(Auth::<Org<perm::RunsCreate>>::of(all)),
        told(Auth::<StepUp<Read>>::of(all)),
        told(Auth::<Authenticated>::of(all)),
        told(Auth::<Public>::of(all)),
    ]
    .into_iter()
    .collect()
}

async fn twice(first: Auth<Read>, again: Auth<Read>, request: Request) -> String {
    assert_eq!(first.request_id(), again.request_id());
    assert_eq!(first.org(), again.org());
    proofs(&request)
}

async fn other(
    _: Auth<Read>,
    other: Result<Auth<Org<perm::RunsCreate>>, Problem>,
) -> Result<&'static str, Problem> {
    other.map(|_| "admitted by another policy's proof")
}

/// Hands its request on to a router of its own.
async fn on(_: Auth<Read>, State(inner): State<Router>, request: Request) -> Response {
    inner.oneshot(request).await.unwrap()
}

async fn names(_: Auth<Read>, names: PathNames) -> String {
    format!("{names:?}")
}

fn outer(stand: &Stand, inner: Router) -> Router {
    let router = SecureRouter::new(Arc::clone(&stand.access), inner)
        .get("/orgs/{org}/twice", twice)
        .get("/orgs/{org}/other", other)
        .get("/orgs/{org}/runs/{id}", names)
        .get("/orgs/{org}/inner", on);
    router.seal(&PublicRoutes::default()).unwrap().0
}

async fn asked(router: &Router, path: &str, token: &str) -> (StatusCode, String) {
    let request = request("GET", path, Some(token), Body::empty());
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_proof_is_of_its_own_policy_however_often_it_is_taken() {
    let stand = Stand::new(11);
    let org = stand.org("acme", RoleName::OWNER);
    let token = stand.mint(&stand.claims(Some(org)));
    let router = outer(&stand, Router::new());
    let (status, body) = asked(&router, "/orgs/acme/twice", &token).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "x----"));
    let (status, body) = asked(&router, "/orgs/acme/other", &token).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
}

#[tokio::test]
async fn a_router_further_in_has_the_proof_of_its_own_guard_alone() {
    let stand = Stand::new(11);
    let org = stand.org("acme", RoleName::OWNER);
    let token = stand.mint(&stand.claims(Some(org)));
    let open = async |_: Auth<Public>, request: Request| proofs(&request);
    let sealed = SecureRouter::new(Arc::clone(&stand.access), ())
        .get("/orgs/{name}/inner", open)
        .seal(&PublicRoutes::parse("GET /orgs/{name}/inner").unwrap());
    let router = outer(&stand, sealed.unwrap().0);
    let (status, body) = asked(&router, "/orgs/acme/inner", &token).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "----x"));
    // one that no guard stands in is the handler's own, and has the handler's
    #[expect(clippy::disallowed_methods, reason = "the router that a host may have")]
    let raw = Router::new().route(
        "/orgs/{org}/inner",
        get(async |request: Request| proofs(&request)),
    );
    let (status, body) = asked(&outer(&stand, raw), "/orgs/acme/inner", &token).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "x----"));
}

#[tokio::test]
async fn names_print_nothing_but_names() {
    let stand = Stand::new(11);
    let org = stand.org("acme", RoleName::OWNER);
    let token = stand.mint(&stand.claims(Some(org)));
    let run = Narrow::Resources {
        ids: vec!["run_A".to_owned(), "run_B".to_owned()],
        set: true,
    };
    let token = narrow(&token, &[run], &*stand.entropy).unwrap();
    let router = outer(&stand, Router::new());
    let (status, body) = asked(&router, "/orgs/acme/runs/run_A", &token).await;
    let names = r#"{"org": "acme", "id": "run_A"}"#;
    assert_eq!((status, body.as_str()), (StatusCode::OK, names));
}
