//! Routers and layers nested at paths that have names of their own.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::{BoxError, Router};
use cyprob_authz::http::{
    Auth, Method, PathNames, PolicyLayer, Public, PublicRoutes, SecureRouter,
};
use cyprob_authz::testkit::{Narrow, Stand, narrow};
use cyprob_core::domain::RoleName;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tower::{Layer as _, Service};

use crate::support::Read;

const RUN: &str = "/orgs/{org}/runs/{id}";

/// All that the names say.
fn said(names: &PathNames) -> String {
    let of = |name| names.get(name).unwrap_or("-").to_owned();
    [of("org"), of("id"), of("region")].join(" ")
}

async fn handled(auth: Auth<Read>, names: PathNames) -> String {
    format!("{} {}", auth.org(), said(&names))
}

async fn served(request: Request<Body>) -> Result<Response<Body>, BoxError> {
    let auth = Auth::<Read>::of(request.extensions()).map_err(|_| "no proof")?;
    let names = PathNames::of(request.extensions()).ok_or("no names")?;
    let text = format!("{} {}", auth.org(), said(&names));
    Ok(Response::new(Body::from(text)))
}

fn secured(stand: &Stand) -> Router {
    let router = SecureRouter::new(Arc::clone(&stand.access), ()).get(RUN, handled);
    router.seal(&PublicRoutes::default()).unwrap().0
}

fn outside<S>(at: &str, service: S) -> Router
where
    S: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: axum::response::IntoResponse,
    S::Future: Send + 'static,
{
    Router::new().nest_service(at, service)
}

/// The same route behind the router and behind the layer, each nested at the path as a service.
fn nested(stand: &Stand, at: &str) -> [Router; 2] {
    let (layer, _) = PolicyLayer::routes(Arc::clone(&stand.access))
        .route::<Read>(Method::Get, RUN)
        .seal(&PublicRoutes::default())
        .unwrap();
    let layered = layer.layer(tower::service_fn(served));
    [outside(at, secured(stand)), outside(at, layered)]
}

async fn get(router: &Router, path: &str, token: &str) -> (StatusCode, String) {
    let request = Request::get(path)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    let answer = router.clone().call(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_name_of_an_outer_path_is_no_resource() {
    let stand = Stand::new(11);
    let org = stand.org("acme", RoleName::OWNER);
    let token = stand.mint(&stand.claims(Some(org.clone())));
    let run = Narrow::Resources {
        ids: vec!["run_A".to_owned()],
        set: false,
    };
    let narrowed = narrow(&token, &[run], &*stand.entropy).unwrap();
    let own = (StatusCode::OK, format!("{} acme run_A -", org.id));
    let other = (StatusCode::OK, format!("{} acme run_B -", org.id));
    for router in nested(&stand, "/{region}") {
        for region in ["eu", "run_A"] {
            let path = |run: &str| format!("/{region}/orgs/acme/runs/{run}");
            assert_eq!(get(&router, &path("run_A"), &narrowed).await, own);
            let (status, body) = get(&router, &path("run_B"), &narrowed).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
            assert_eq!(get(&router, &path("run_B"), &token).await, other);
        }
    }
}

#[tokio::test]
async fn the_organization_that_is_judged_is_the_route_s() {
    let stand = Stand::new(11);
    let org = stand.org("acme", RoleName::OWNER);
    let token = stand.mint(&stand.claims(Some(org.clone())));
    let own = (StatusCode::OK, format!("{} acme run_A -", org.id));
    for router in nested(&stand, "/{org}") {
        for outer in ["acme", "globex"] {
            let path = |inner: &str| format!("/{outer}/orgs/{inner}/runs/run_A");
            assert_eq!(get(&router, &path("acme"), &token).await, own, "{outer}");
            let (status, body) = get(&router, &path("globex"), &token).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        }
    }
}

/// Whether there are a proof of reading and names.
async fn left(request: Request<Body>) -> Result<Response<Body>, BoxError> {
    let proof = Auth::<Read>::of(request.extensions()).is_ok();
    let names = PathNames::of(request.extensions()).is_some();
    Ok(Response::new(Body::from(format!("{proof} {names}"))))
}

#[tokio::test]
async fn a_public_layer_behind_a_layer_hands_on_no_proof_of_the_outer_one() {
    let stand = Stand::new(11);
    let org = stand.org("acme", RoleName::OWNER);
    let token = stand.mint(&stand.claims(Some(org)));
    let (inner, _) = PolicyLayer::routes(Arc::clone(&stand.access))
        .route::<Public>(Method::Get, "/orgs/{name}/runs/{id}")
        .seal(&PublicRoutes::parse("GET /orgs/{name}/runs/{id}").unwrap())
        .unwrap();
    let (outer, _) = PolicyLayer::routes(Arc::clone(&stand.access))
        .route::<Read>(Method::Get, RUN)
        .seal(&PublicRoutes::default())
        .unwrap();
    let router = outside("/eu", outer.layer(inner.layer(tower::service_fn(left))));
    let path = "/eu/orgs/acme/runs/run_A";
    let told = (StatusCode::OK, "false true".to_owned());
    assert_eq!(get(&router, path, &token).await, told);
}

#[tokio::test]
async fn a_router_behind_a_layer_reads_its_own_names() {
    let stand = Stand::new(11);
    let org = stand.org("acme", RoleName::OWNER);
    let token = stand.mint(&stand.claims(Some(org.clone())));
    let (layer, _) = PolicyLayer::routes(Arc::clone(&stand.access))
        .route::<Read>(Method::Get, "/orgs/{org}/runs/{run}")
        .seal(&PublicRoutes::default())
        .unwrap();
    let router = outside("/{org}", layer.layer(secured(&stand)));
    let own = (StatusCode::OK, format!("{} acme run_A -", org.id));
    let path = "/globex/orgs/acme/runs/run_A";
    assert_eq!(get(&router, path, &token).await, own);
}
