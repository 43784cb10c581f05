//! Bodies that come while their caller's role has fewer objects, or more.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use cyprob_authz::domain::policy::{Condition, Grant, Hours, Rights};
use cyprob_authz::domain::{Permission, PermissionSet, RoleCatalog};
use cyprob_authz::http::{Auth, Objects, PublicRoutes, SecureRouter, perm};
use cyprob_authz::testkit::Stand;
use cyprob_core::domain::audit::{Action, MetaValue};
use http_body::Frame;
use http_body_util::BodyExt as _;
use http_body_util::channel::Channel;
use tower::ServiceExt as _;

use crate::support::request;

async fn create(auth: Auth<Objects<perm::RunsCreate>>, body: Bytes) -> String {
    let scope = auth.objects();
    let [all, own] = [scope.is_all(), scope.has_own()];
    format!("{all} {own} {} {}", scope.tags().len(), body.len())
}

fn of(own: bool, tags: &[&str]) -> Condition {
    Condition {
        own,
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        ..Condition::default()
    }
}

/// The same in these hours alone; the clock begins with a Thursday.
fn during(window: &str, of: Condition) -> Condition {
    let window = window.parse().unwrap();
    Condition {
        hours: Some(Hours::new([window]).unwrap()),
        ..of
    }
}

/// What becomes of a request whose body comes in two parts, a minute apart, and of the trail.
async fn outcome(grants: Vec<Condition>) -> (u16, String, Vec<String>) {
    let grants = grants.into_iter().map(|when| Grant {
        permissions: PermissionSet::of(&[Permission::RunsCreate]),
        when,
    });
    let rights = Rights::compile(grants);
    let roles = RoleCatalog::builtin().with_role("day".parse().unwrap(), rights);
    let stand = Stand::with_roles(7, roles.unwrap());
    let (router, _) = SecureRouter::new(Arc::clone(&stand.access), ())
        .post("/orgs/{org}/runs", create)
        .seal(&PublicRoutes::default())
        .unwrap();
    let token = stand.token("acme", "day".parse().unwrap());
    let (mut parts, body) = Channel::<Bytes, Infallible>::new(8);
    let asked = request("POST", "/orgs/acme/runs", Some(&token), Body::new(body));
    let (answer, ()) = tokio::join!(router.oneshot(asked), async {
        let part = || Frame::data(Bytes::from_static(b"part"));
        parts.send(part()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        stand.clock.advance(Duration::from_secs(60));
        parts.send(part()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(parts);
    });
    let answer = answer.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let told = stand.denials.events().into_iter().map(|event| {
        assert_eq!(event.action, Action::AccessDenied);
        assert_eq!(event.reason.as_deref(), Some("condition_object"));
        let route = event.metadata.get("route");
        assert_eq!(route, Some(&MetaValue::public("/orgs/{org}/runs")));
        serde_json::to_string(&event.metadata).unwrap()
    });
    let body = String::from_utf8(body.to_vec()).unwrap();
    (status, body, told.collect())
}

#[tokio::test]
async fn one_whose_role_has_fewer_objects_meanwhile_is_refused() {
    let early = "thu 00:00-00:01";
    for grants in [
        // The tags are gone, all but one's own are gone, one of two tags is gone.
        vec![during(early, of(false, &["web"])), of(true, &[])],
        vec![during(early, of(false, &[])), of(true, &[])],
        vec![during(early, of(false, &["web"])), of(false, &["db"])],
        // Of those with the tag one's own alone are left.
        vec![during(early, of(false, &["web"])), of(true, &["web"])],
    ] {
        let (status, body, told) = outcome(grants.clone()).await;
        assert_eq!(status, 403, "{grants:?}: {body}");
        assert!(body.contains("\"forbidden\""), "{body}");
        let [told] = told.as_slice() else {
            panic!("{told:?}");
        };
        let words = "but of fewer objects than when the request began";
        assert!(told.contains(words), "{told}");
    }
}

#[tokio::test]
async fn one_whose_role_has_as_many_or_more_goes_on_with_those_of_before() {
    let (early, late) = ("thu 00:00-00:01", "thu 00:01-00:10");
    for (grants, expected) in [
        (vec![of(true, &["web"])], "false false 0 8"),
        (
            vec![of(true, &[]), during(late, of(false, &["web"]))],
            "false true 0 8",
        ),
        (
            vec![
                during(early, of(false, &["web"])),
                during(late, of(false, &[])),
            ],
            "false false 1 8",
        ),
        (vec![of(false, &[])], "true true 0 8"),
    ] {
        let (status, body, told) = outcome(grants.clone()).await;
        assert_eq!((status, body.as_str()), (200, expected), "{grants:?}");
        assert!(told.is_empty(), "{told:?}");
    }
}
