//! What does not seal does not serve.

use std::sync::Arc;

use axum::Router;
use cyprob_authz::http::{
    Auth, Authenticated, Endpoint, Inventory, InventoryHandle, Method, Org, Public, PublicRoutes,
    SealError, SecureRouter, Worker, perm,
};
use cyprob_authz::testkit::Stand;

async fn public(_: Auth<Public>) {}
async fn signed_in(_: Auth<Authenticated>) {}
async fn member(_: Auth<Org<perm::RunsRead>>) {}
async fn worker(_: Auth<Worker>) {}

fn router() -> SecureRouter {
    SecureRouter::new(Arc::clone(&Stand::new(1).access), ())
}

fn sealed(router: SecureRouter, list: &str) -> Result<(Router, Inventory), SealError> {
    router.seal(&PublicRoutes::parse(list)?)
}

fn refused(router: SecureRouter, list: &str) -> SealError {
    match sealed(router, list) {
        Err(error) => error,
        Ok((_, inventory)) => panic!("sealed: {inventory:?}"),
    }
}

#[test]
fn public_routes_are_those_of_the_list_and_no_others() {
    let text = |method: &str, path: &str| format!("{method} {path}");
    assert_eq!(
        refused(router().get("/a", public), ""),
        SealError::NotListed(text("GET", "/a"))
    );
    // another method of a listed path is not listed
    assert_eq!(
        refused(router().get("/a", public).post("/a", public), "GET /a"),
        SealError::NotListed(text("POST", "/a"))
    );
    assert_eq!(
        refused(router().get("/a", public), "GET /a\nGET /b"),
        SealError::Stale(text("GET", "/b"))
    );
    // a route that is no longer public leaves the list
    assert_eq!(
        refused(router().get("/a", signed_in), "GET /a"),
        SealError::Stale(text("GET", "/a"))
    );
    assert!(sealed(router().get("/a", public), "# why\n\n  GET /a\n").is_ok());
    for bad in ["/a", "GET", "GET a", "BREW /a", "get /a", "GET  /a"] {
        assert!(
            matches!(PublicRoutes::parse(bad), Err(SealError::Line(_))),
            "{bad}"
        );
    }
    assert!(matches!(
        PublicRoutes::parse("GET /a\nGET /a"),
        Err(SealError::Duplicate(_))
    ));
}

#[test]
fn members_routes_name_their_organization_and_no_others_do() {
    assert!(matches!(
        refused(router().get("/runs", member), ""),
        SealError::NoOrg(_)
    ));
    let stray = router().get("/orgs/{org}/x", signed_in);
    assert!(matches!(refused(stray, ""), SealError::StrayOrg(_)));
    let stray = router().get("/orgs/{org}/x", public);
    assert!(matches!(
        refused(stray, "GET /orgs/{org}/x"),
        SealError::StrayOrg(_)
    ));
    let any = Endpoint::new(Method::Post, "/orgs/{org}/token", signed_in).names_any_org();
    assert!(sealed(router().add(any), "").is_ok());
    // saying so does not open a public route
    let any = Endpoint::new(Method::Post, "/orgs/{org}/token", public).names_any_org();
    assert!(matches!(
        refused(router().add(any), "POST /orgs/{org}/token"),
        SealError::StrayOrg(_)
    ));
    assert!(matches!(
        refused(router().post("/result", worker), ""),
        SealError::NoRun(_)
    ));
}

#[test]
fn no_route_is_there_twice_and_no_path_panics_the_framework() {
    assert!(matches!(refused(router(), ""), SealError::Empty));
    let twice = router().get("/a", signed_in).get("/a", signed_in);
    assert!(matches!(refused(twice, ""), SealError::Duplicate(_)));
    let clash = router().get("/a/{x}", signed_in).get("/a/{y}/b", signed_in);
    assert!(matches!(refused(clash, ""), SealError::Clash(..)));
    for path in [
        "", "a", "/a/", "/{", "/{a}/{a}", "/:a", "/*a", "/{*a}/b", "/a b", "/a,b", "/\"a",
    ] {
        let error = refused(router().get(path, signed_in), "");
        assert!(matches!(error, SealError::Path(_)), "{path}: {error}");
    }
}

#[test]
fn the_inventory_is_published_when_the_router_is_sealed() {
    let handle = InventoryHandle::default();
    let router = router()
        .publish_inventory(handle.clone())
        .get("/orgs/{org}/runs", member)
        .get("/a", public);
    assert!(handle.get().is_none());
    let (_, inventory) = sealed(router, "GET /a").unwrap();
    let shown = handle.get().unwrap();
    assert_eq!(shown.routes(), inventory.routes());
    assert_eq!(
        inventory.to_csv(),
        "method,path,policy,permission,step_up,audited\r\n\
         GET,/a,public,,no,no\r\n\
         GET,/orgs/{org}/runs,organization,runs:read,no,no\r\n"
    );
    let json = inventory.to_json();
    assert_eq!(json[1]["permission"], "runs:read");
}
