//! Tokens that their holders narrowed to a number of uses.

mod clock;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use cyprob_authz::domain::{AccessClaims, Narrowing};
use cyprob_authz::service::{attenuate, random_uses};
use cyprob_authz::testkit::{Narrow, narrow, seal};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{
    Id as _, Revocation, RevocationEntry, RoleName, Timestamp, TokenId, UseId, UsedToken,
};
use cyprob_core::ports::RevocationFeed as _;
use cyprob_core::ports::store::{MOST_SPENT_USES, SpendOutcome, SpentStore, StoreError};
use http::header::CONTENT_LENGTH;
use http_body::Frame;
use http_body_util::channel::Channel;
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::{Site, allowed, error, request};

const RUNS: &str = "/orgs/acme/runs";

fn dead() -> (u16, String) {
    error(401, "invalid_token")
}

/// The token, narrowed to single uses of these words.
fn once(site: &Site, token: &str, words: &[&str]) -> String {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    let block = [Narrow::Uses { words, set: false }];
    narrow(token, &block, &*site.stand.entropy).unwrap()
}

/// The reasons in the trail so far.
fn reasons(site: &Site) -> Vec<String> {
    let reason = |event: &AuditEvent| event.reason.clone().unwrap_or_default();
    site.stand.denials.events().iter().map(reason).collect()
}

#[tokio::test]
async fn a_token_for_one_use_is_good_once() {
    let site = Site::new();
    let token = once(&site, &site.token(RoleName::OWNER), &["a"]);
    assert_eq!(site.get(RUNS, &token).await, allowed());
    for _ in 0..3 {
        assert_eq!(site.get(RUNS, &token).await, dead());
        let answer = site.call("POST", RUNS, Some(&token)).await;
        assert_eq!(answer.outcome(), dead());
    }
    assert_eq!(site.calls(), 1);
    // Whoever asks again may have stolen it, so the trail is told.
    assert_eq!(reasons(&site), vec!["spent"; 6]);
}

#[tokio::test]
async fn the_text_that_the_service_writes_is_good_as_often_as_it_says() {
    let site = Site::new();
    let whole = SecretString::from(site.token(RoleName::OWNER));
    for uses in [1, 2, 8] {
        let by = [random_uses(uses, &*site.stand.entropy)];
        let token = attenuate(&whole, &by, &*site.stand.entropy).unwrap();
        for _ in 0..uses {
            assert_eq!(site.get(RUNS, token.expose_secret()).await, allowed());
        }
        assert_eq!(site.get(RUNS, token.expose_secret()).await, dead());
    }
    assert_eq!(site.get(RUNS, whole.expose_secret()).await, allowed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twelve_at_once_three_have_one_of_three_uses() {
    for _ in 0..20 {
        let site = Arc::new(Site::new());
        let token = once(&site, &site.token(RoleName::OWNER), &["a", "b", "c"]);
        let racers = (0..12).map(|_| {
            let (site, token) = (Arc::clone(&site), token.clone());
            async move { Ok::<_, String>(site.get(RUNS, &token).await) }
        });
        let answers = cyprob_core::testkit::race(racers).await.unwrap();
        let good = answers.iter().filter(|answer| **answer == allowed());
        assert_eq!(good.count(), 3);
        let bad = answers.iter().filter(|answer| **answer == dead());
        assert_eq!(bad.count(), 9);
        assert_eq!(site.calls(), 3);
    }
}

/// Every refusal that is not for want of a use comes before one is taken.
#[tokio::test]
async fn a_refused_request_spends_nothing() {
    let site = Site::new();
    let viewer = once(&site, &site.token(RoleName::VIEWER), &["a"]);
    let stale = site.stand.mint(&AccessClaims {
        auth_time: site.stand.now().before(Duration::from_secs(1_000)),
        administrator: true,
        ..site.claims(RoleName::OWNER)
    });
    let stale = once(&site, &stale, &["a"]);
    for (method, path, token, expected) in [
        ("POST", RUNS, &viewer, error(403, "forbidden")),
        ("GET", "/orgs/globex/runs", &viewer, error(404, "not_found")),
        ("GET", "/nothing", &viewer, error(404, "not_found")),
        ("DELETE", RUNS, &viewer, error(405, "method_not_allowed")),
        ("OPTIONS", RUNS, &viewer, error(405, "method_not_allowed")),
        ("GET", "/me", &viewer, error(403, "forbidden")),
        ("GET", "/system/orgs", &viewer, error(403, "forbidden")),
        (
            "GET",
            "/system/orgs",
            &stale,
            error(401, "step_up_required"),
        ),
        (
            "PUT",
            "/orgs/acme/secrets/x",
            &stale,
            error(401, "step_up_required"),
        ),
    ] {
        let answer = site.call(method, path, Some(token)).await;
        assert_eq!(answer.outcome(), expected, "{method} {path}");
    }
    let mut big = request("POST", RUNS, Some(&stale), Body::from(vec![b'x'; 1_001]));
    big.headers_mut()
        .insert(CONTENT_LENGTH, "1001".parse().unwrap());
    assert_eq!(site.send(big).await.outcome(), error(413, "too_large"));
    assert_eq!(site.calls(), 0);
    assert!(!reasons(&site).iter().any(|reason| reason == "spent"));

    for token in [&viewer, &stale] {
        assert_eq!(site.get(RUNS, token).await, allowed());
        assert_eq!(site.get(RUNS, token).await, dead());
    }
}

#[tokio::test]
async fn a_head_request_and_a_route_of_the_deployment_spend_one_too() {
    let site = Site::new();
    let claims = AccessClaims {
        administrator: true,
        ..site.claims(RoleName::OWNER)
    };
    let token = once(&site, &site.stand.mint(&claims), &["a", "b"]);
    let head = site.call("HEAD", RUNS, Some(&token)).await;
    assert_eq!(head.status, 200);
    assert_eq!(site.get("/system/orgs", &token).await, allowed());
    assert_eq!(site.get(RUNS, &token).await, dead());
    let head = site.call("HEAD", RUNS, Some(&token)).await;
    assert_eq!(head.status, 401);
    assert_eq!(site.calls(), 2);
}

#[tokio::test]
async fn on_a_public_route_it_is_a_stranger_s_and_nothing_is_spent() {
    let site = Site::new();
    let token = once(&site, &site.token(RoleName::OWNER), &["a"]);
    for _ in 0..3 {
        let answer = site.call("GET", "/open", Some(&token)).await;
        assert_eq!(answer.body, "stranger");
    }
    assert_eq!(site.get(RUNS, &token).await, allowed());
}

#[tokio::test]
async fn what_two_lists_have_in_common_is_left() {
    let site = Site::new();
    let whole = site.token(RoleName::OWNER);
    let nothing = once(&site, &once(&site, &whole, &["a", "b"]), &["c"]);
    assert_eq!(site.get(RUNS, &nothing).await, dead());
    let empty = once(&site, &whole, &[]);
    assert_eq!(site.get(RUNS, &empty).await, dead());
    assert_eq!(reasons(&site), vec!["spent"; 2]);

    let one = once(&site, &once(&site, &whole, &["a", "b"]), &["c", "b"]);
    assert_eq!(site.get(RUNS, &one).await, allowed());
    assert_eq!(site.get(RUNS, &one).await, dead());
}

/// Narrowing a token anew gives no new use: what a child spent its parent has spent, and the other way round.
#[tokio::test]
async fn a_use_is_one_for_all_that_come_from_one_token() {
    let site = Site::new();
    let claims = site.claims(RoleName::OWNER);
    let whole = site.stand.mint(&claims);
    let parent = once(&site, &whole, &["a", "b"]);
    let [child, twin] = [(); 2].map(|()| once(&site, &parent, &["b"]));
    assert_ne!(child, twin);
    assert_eq!(site.get(RUNS, &child).await, allowed());
    assert_eq!(site.get(RUNS, &twin).await, dead());
    assert_eq!(site.get(RUNS, &parent).await, allowed());
    assert_eq!(site.get(RUNS, &parent).await, dead());
    // The same words of another token are other uses.
    let other = once(&site, &site.token(RoleName::OWNER), &["a", "b"]);
    assert_eq!(site.get(RUNS, &other).await, allowed());
    assert_eq!(site.get(RUNS, &other).await, allowed());
    // Without its narrowing the token is as it was.
    assert_eq!(site.get(RUNS, &whole).await, allowed());
}

#[tokio::test]
async fn a_sealed_one_and_a_machine_s_count_as_well() {
    let site = Site::new();
    let sealed = seal(&once(&site, &site.token(RoleName::OWNER), &["a"])).unwrap();
    let machine = site.stand.service(site.org.clone());
    let machine = once(&site, &site.stand.mint_service(&machine), &["a"]);
    for token in [sealed, machine] {
        assert_eq!(site.get(RUNS, &token).await, allowed());
        assert_eq!(site.get(RUNS, &token).await, dead());
    }
}

#[tokio::test]
async fn the_other_narrowings_hold_and_cost_no_use() {
    let site = Site::new();
    let by = [
        Narrowing::Permissions(vec!["runs:read".to_owned()]),
        Narrowing::Resources(vec!["run_7".to_owned()]),
        Narrowing::OneUse(vec!["a".to_owned()]),
    ];
    let whole = SecretString::from(site.token(RoleName::OWNER));
    let token = attenuate(&whole, &by, &*site.stand.entropy).unwrap();
    let token = token.expose_secret();
    assert_eq!(site.get(RUNS, token).await, error(403, "forbidden"));
    let other = site.get("/orgs/acme/runs/run_8", token).await;
    assert_eq!(other, error(403, "forbidden"));
    assert_eq!(site.get("/orgs/acme/runs/run_7", token).await, allowed());
    assert_eq!(site.get("/orgs/acme/runs/run_7", token).await, dead());
}

#[tokio::test]
async fn where_nothing_remembers_uses_it_is_forbidden() {
    let site = Site::with_spent(None);
    let whole = site.token(RoleName::OWNER);
    let token = once(&site, &whole, &["a"]);
    assert_eq!(site.get(RUNS, &token).await, error(403, "forbidden"));
    assert_eq!(site.get(RUNS, &whole).await, allowed());
    assert_eq!(site.calls(), 1);
    assert_eq!(reasons(&site), ["use_not_taken"]);
}

/// A store that does not answer, or answers with what it was not asked for.
#[derive(Debug)]
struct Broken(Option<UseId>);

#[async_trait]
impl SpentStore for Broken {
    async fn spend(
        &self,
        _: UsedToken,
        _: &[UseId],
        _: Timestamp,
    ) -> Result<SpendOutcome, StoreError> {
        let silent = || StoreError::unavailable("the store is away");
        self.0.map(SpendOutcome::Taken).ok_or_else(silent)
    }

    async fn sweep_spent(&self, _: Timestamp) -> Result<u64, StoreError> {
        Err(StoreError::unavailable("the store is away"))
    }
}

#[tokio::test]
async fn a_store_that_fails_lets_nobody_in() {
    let site = Site::with_spent(Some(Arc::new(Broken(None))));
    let whole = site.token(RoleName::OWNER);
    let token = once(&site, &whole, &["a"]);
    assert_eq!(site.get(RUNS, &token).await, error(503, "unavailable"));
    assert_eq!(site.calls(), 0);
    assert_eq!(site.get(RUNS, &whole).await, allowed());

    let foreign = UseId::of(TokenId::from_random(site.stand.now(), [9; 10]), "a");
    let site = Site::with_spent(Some(Arc::new(Broken(Some(foreign)))));
    let token = once(&site, &site.token(RoleName::OWNER), &["a"]);
    assert_eq!(site.get(RUNS, &token).await, dead());
    assert_eq!(site.calls(), 0);
}

/// One token has so many spent uses, with all that were narrowed from it; other tokens go on.
#[tokio::test]
async fn a_token_narrowed_to_ever_new_uses_has_an_end() {
    let site = Site::new();
    let whole = site.token(RoleName::OWNER);
    for number in 0..MOST_SPENT_USES {
        let token = once(&site, &whole, &[&format!("w{number}")]);
        assert_eq!(site.get(RUNS, &token).await, allowed());
    }
    let token = once(&site, &whole, &["another"]);
    assert_eq!(site.get(RUNS, &token).await, dead());
    assert_eq!(reasons(&site), ["spent"]);
    assert_eq!(site.calls(), MOST_SPENT_USES);
    let other = once(&site, &site.token(RoleName::OWNER), &["another"]);
    assert_eq!(site.get(RUNS, &other).await, allowed());
    assert_eq!(site.get(RUNS, &whole).await, allowed());
}

/// A body whose parts are sent while the request is under way.
async fn slowly(site: &Site, token: &str, meanwhile: impl FnOnce()) -> (u16, String) {
    let (mut parts, body) = Channel::<Bytes, std::convert::Infallible>::new(8);
    let sending = site.send(request("POST", RUNS, Some(token), Body::new(body)));
    let (answer, ()) = tokio::join!(sending, async {
        for _ in 0..2 {
            let frame = Frame::data(Bytes::from_static(b"part"));
            parts.send(frame).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        meanwhile();
        drop(parts);
    });
    answer.outcome()
}

/// A request is admitted again when its body is there: by the use that it has, and not by another.
#[tokio::test]
async fn a_body_that_comes_in_parts_costs_one_use() {
    let site = Site::new();
    let token = once(&site, &site.token(RoleName::OWNER), &["a", "b"]);
    assert_eq!(slowly(&site, &token, || ()).await, allowed());
    assert_eq!(slowly(&site, &token, || ()).await, allowed());
    let third = site.call("POST", RUNS, Some(&token)).await;
    assert_eq!(third.outcome(), dead());
    assert_eq!(site.calls(), 2);
}

#[tokio::test]
async fn a_use_does_not_outlive_its_token_while_the_body_comes() {
    let site = Site::new();
    let claims = site.claims(RoleName::OWNER);
    let token = once(&site, &site.stand.mint(&claims), &["a"]);
    let revoked = RevocationEntry {
        what: Revocation::Session(claims.session),
        expires_at: site.stand.now().after(Duration::from_secs(900)),
    };
    let revoke = || site.stand.revocations.publish(&[revoked]);
    assert_eq!(slowly(&site, &token, revoke).await, dead());
    assert_eq!(site.calls(), 0);
}

/// The handler may act before the end of a body, so its use is spent before.
#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_has_cost_its_use() {
    let site = Site::new();
    let token = once(&site, &site.token(RoleName::OWNER), &["a"]);
    let (parts, body) = Channel::<Bytes, std::convert::Infallible>::new(8);
    let asked = request("POST", RUNS, Some(&token), Body::new(body));
    let answer = {
        use tower::ServiceExt as _;
        site.router.clone().oneshot(asked).await.unwrap()
    };
    assert_eq!(answer.status(), 408);
    drop(parts);
    assert_eq!(site.get(RUNS, &token).await, dead());
    assert_eq!(site.calls(), 0);
}
