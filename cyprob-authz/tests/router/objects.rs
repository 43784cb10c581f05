//! Routes that concern objects: who is admitted, and to which of them.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use cyprob_authz::domain::policy::{Condition, Grant, Rights};
use cyprob_authz::domain::{Permission, PermissionSet, RoleCatalog};
use cyprob_authz::http::{
    Auth, Expected, Inventory, Objects, Org, Place, PublicRoutes, SealError, SecureRouter, StepUp,
    perm,
};
use cyprob_authz::testkit::Stand;
use cyprob_core::domain::RoleName;
use cyprob_core::domain::audit::Action;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::support::request;

/// What of an object the handler says: whether all, whether the owner's, and the tags.
async fn list(auth: Auth<Objects<perm::RunsRead>>) -> String {
    let scope = auth.objects();
    let tags: Vec<_> = scope.tags().iter().map(|tag| tag.as_str()).collect();
    let owner = auth.owner().unwrap();
    let [all, own] = [scope.is_all(), scope.has_own()];
    format!("{all} {own} {tags:?} {owner} {}", auth.org())
}

async fn count(auth: Auth<Org<perm::RunsRead>>) -> String {
    auth.org().to_string()
}

async fn wipe(_: Auth<StepUp<Objects<perm::RunsRead>>>) {}

/// A role that reads its own runs, and with two factors those of the web team.
fn roles() -> RoleCatalog {
    let grant = |aal, own, tags: &[&str]| Grant {
        permissions: PermissionSet::of(&[Permission::RunsRead]),
        when: Condition {
            aal,
            own,
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            ..Condition::default()
        },
    };
    let two = Some(cyprob_core::domain::Aal::Two);
    let web = Rights::compile([grant(None, true, &[]), grant(two, false, &["team:web"])]);
    let late = Rights::compile([grant(two, true, &[])]);
    let catalog = RoleCatalog::builtin();
    let catalog = catalog.with_role("web".parse().unwrap(), web).unwrap();
    catalog.with_role("late".parse().unwrap(), late).unwrap()
}

fn site() -> (Stand, Router, Inventory) {
    let stand = Stand::with_roles(7, roles());
    let (router, inventory) = SecureRouter::new(Arc::clone(&stand.access), ())
        .get("/orgs/{org}/runs", list)
        .get("/orgs/{org}/runs/count", count)
        .post("/orgs/{org}/runs/wipe", wipe)
        .seal(&PublicRoutes::default())
        .unwrap();
    (stand, router, inventory)
}

async fn get(router: &Router, path: &str, token: &str) -> (u16, String) {
    let request = request("GET", path, Some(token), Body::empty());
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_role_of_some_objects_is_admitted_to_those() {
    let (stand, router, _) = site();
    let org = stand.org("acme", "web".parse().unwrap());
    let mut claims = stand.claims(Some(org.clone()));
    let (user, id) = (claims.user, org.id);
    let own = get(&router, "/orgs/acme/runs", &stand.mint(&claims)).await;
    assert_eq!(own, (200, format!("false true [] {user} {id}")));
    claims.aal = cyprob_core::domain::Aal::Two;
    let more = get(&router, "/orgs/acme/runs", &stand.mint(&claims)).await;
    let expected = format!("false true [\"team:web\"] {user} {id}");
    assert_eq!(more, (200, expected));
    // A machine's own objects are those of the person on whose behalf it acts.
    let service = stand.service(org);
    let person = service.on_behalf_of;
    let machine = get(&router, "/orgs/acme/runs", &stand.mint_service(&service)).await;
    assert_eq!(machine, (200, format!("false true [] {person} {id}")));
    // Whoever has it without a condition has all.
    let viewer = stand.claims(Some(stand.org("acme", RoleName::VIEWER)));
    let all = get(&router, "/orgs/acme/runs", &stand.mint(&viewer)).await;
    assert!(all.1.starts_with("true true []"), "{all:?}");
}

#[tokio::test]
async fn a_route_without_objects_counts_no_grant_of_some() {
    let (stand, router, _) = site();
    let token = stand.token("acme", "web".parse().unwrap());
    let (status, _) = get(&router, "/orgs/acme/runs/count", &token).await;
    assert_eq!(status, 403);
    let late = stand.token("acme", "late".parse().unwrap());
    assert_eq!(get(&router, "/orgs/acme/runs", &late).await.0, 403);
    let told: Vec<_> = stand
        .denials
        .events()
        .into_iter()
        .map(|event| {
            assert_eq!(event.action, Action::AccessDenied);
            let words = serde_json::to_string(&event.metadata).unwrap();
            (event.reason.unwrap_or_default(), words)
        })
        .collect();
    let [(rule, words), (late, _)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(
        (rule.as_str(), late.as_str()),
        ("condition_object", "condition_aal")
    );
    let sentence = "the role web permits runs:read of one's own objects; or of objects tagged \
                    team:web if signed in with two factors, but this is about no object";
    assert!(words.contains(sentence), "{words}");
}

#[test]
fn the_matrix_says_of_which_objects() {
    let (stand, _, inventory) = site();
    let matrix = inventory.matrix(stand.access.roles());
    let cell = |path: &str, caller: &str| {
        let mut rows = matrix.rows.iter();
        let row =
            rows.find(|row| row.path == path && row.caller == caller && row.place == Place::Own);
        let row = row.unwrap();
        (row.expected, row.when.as_deref().unwrap_or_default())
    };
    let own = "of one's own objects; or of objects tagged team:web if signed in with two factors";
    let late = "of one's own objects if signed in with two factors";
    for (path, caller, expected) in [
        ("/orgs/{org}/runs", "web", (Expected::Scoped, own)),
        ("/orgs/{org}/runs", "late", (Expected::Conditional, late)),
        ("/orgs/{org}/runs", "viewer", (Expected::Allowed, "")),
        (
            "/orgs/{org}/runs",
            "no_organization",
            (Expected::NotFound, ""),
        ),
        ("/orgs/{org}/runs/count", "web", (Expected::Forbidden, "")),
        ("/orgs/{org}/runs/count", "viewer", (Expected::Allowed, "")),
        (
            "/orgs/{org}/runs/wipe",
            "service_account",
            (Expected::Forbidden, ""),
        ),
    ] {
        assert_eq!(cell(path, caller), expected, "{path} {caller}");
    }
    assert!(matrix.to_markdown().contains("| some |"));
    assert!(
        matrix
            .to_csv()
            .contains("GET,/orgs/{org}/runs,web,own,scoped")
    );
    let asked = "GET /orgs/{org}/runs: asks organization objects runs:read\n";
    assert!(matrix.to_snapshot().contains(asked));
    // A role that has some objects more opens a cell, and so does one that has all.
    let before = inventory.matrix(
        &RoleCatalog::builtin()
            .with_role(
                "web".parse().unwrap(),
                PermissionSet::of(&[Permission::OrgRead]).into(),
            )
            .unwrap(),
    );
    let changes = matrix.changes_since(&before.to_snapshot());
    let opened = changes.opened.iter().any(|change| {
        change.cell == "GET /orgs/{org}/runs | web | own" && change.to.as_deref() == Some(own)
    });
    assert!(opened, "{changes}");
    let web = "web".parse().unwrap();
    let rights = stand.access.roles().rights(&web);
    let can: Vec<_> = inventory
        .what_can(rights)
        .map(|(route, _)| route.path.as_str())
        .collect();
    assert_eq!(can, ["/orgs/{org}/runs", "/orgs/{org}/runs/wipe"]);
}

#[test]
fn a_route_of_objects_names_their_organization() {
    let stand = Stand::new(7);
    let bare = SecureRouter::new(Arc::clone(&stand.access), ()).get("/runs", list);
    let refused = bare.seal(&PublicRoutes::default());
    assert!(matches!(refused, Err(SealError::NoOrg(_))));
    let (_, _, inventory) = site();
    let [first, ..] = inventory.routes() else {
        panic!("no routes");
    };
    assert_eq!(
        (first.policy, first.permission),
        ("organization objects", Some("runs:read"))
    );
}
