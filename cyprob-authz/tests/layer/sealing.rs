//! What does not seal makes no layer, and what no layer admitted has no proof.

use std::sync::Arc;

use axum::body::Body;
use cyprob_authz::http::{
    Authenticated, Method, PolicyLayer, PolicyRoute, PolicyRoutes, Public, PublicRoutes, SealError,
    Worker,
};
use cyprob_authz::testkit::Stand;
use http::{Extensions, Request};

use crate::support::{Fresh, Read, proofs};

#[test]
fn routes_are_sealed_as_the_router_s_are() {
    let stand = Stand::new(1);
    let routes = || PolicyLayer::routes(Arc::clone(&stand.access));
    let refused = |routes: PolicyRoutes, list: &str| {
        let sealed = routes.seal(&PublicRoutes::parse(list).unwrap());
        sealed.map(drop).unwrap_err()
    };
    let get = Method::Get;
    assert!(matches!(refused(routes(), ""), SealError::Empty));
    assert!(matches!(
        refused(routes().route::<Public>(get, "/a"), ""),
        SealError::NotListed(_)
    ));
    assert!(matches!(
        refused(routes().route::<Authenticated>(get, "/a"), "GET /a"),
        SealError::Stale(_)
    ));
    assert!(matches!(
        refused(routes().route::<Read>(get, "/runs"), ""),
        SealError::NoOrg(_)
    ));
    assert!(matches!(
        refused(routes().route::<Authenticated>(get, "/{org}"), ""),
        SealError::StrayOrg(_)
    ));
    assert!(matches!(
        refused(routes().route::<Worker>(get, "/a"), ""),
        SealError::NoRun(_)
    ));
    let twice = routes()
        .route::<Authenticated>(get, "/a")
        .route::<Fresh>(get, "/a");
    assert!(matches!(refused(twice, ""), SealError::Duplicate(_)));
    let clash = routes()
        .route::<Authenticated>(get, "/a/{x}")
        .route::<Authenticated>(get, "/a/{y}/b");
    assert!(matches!(refused(clash, ""), SealError::Clash(..)));
    for path in ["", "a", "/a/", "/{a}/{a}", "/*a", "/a b"] {
        let route = routes().route::<Authenticated>(get, path);
        assert!(matches!(refused(route, ""), SealError::Path(_)), "{path}");
    }
    let any = PolicyRoute::new::<Authenticated>(Method::Post, "/orgs/{org}/token").names_any_org();
    assert!(routes().add(any).seal(&PublicRoutes::default()).is_ok());
}

#[tokio::test]
async fn no_proof_is_found_where_no_layer_put_one() {
    let request = Request::new(Body::empty());
    assert!(proofs(request.extensions()).is_empty());
    // who calls is no proof
    let stand = Stand::new(1);
    let token = stand.mint(&stand.claims(None));
    let principal = stand.access.authenticate(&token, stand.now()).unwrap();
    let mut extensions = Extensions::new();
    extensions.insert(principal);
    assert!(proofs(&extensions).is_empty());
}
