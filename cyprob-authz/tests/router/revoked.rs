//! Tokens that die: at once, from the memory too, and no others with them.

use std::time::Duration;

use cyprob_authz::domain::{AccessClaims, OrgClaims};
use cyprob_authz::testkit::{Narrow, narrow};
use cyprob_core::domain::{Epoch, Revocation, RevocationEntry, RoleName};
use cyprob_core::ports::RevocationFeed as _;

use crate::support::{Site, allowed, error};

fn revoke(site: &Site, what: Revocation) {
    let expires_at = site.stand.now().after(Duration::from_secs(900));
    site.stand
        .revocations
        .publish(&[RevocationEntry { what, expires_at }]);
}

#[tokio::test]
async fn a_revoked_session_ends_at_once_with_all_its_tokens() {
    let site = Site::new();
    let claims = site.claims(RoleName::OWNER);
    let token = site.stand.mint(&claims);
    let second = site.stand.mint(&claims);
    let reads = Narrow::Permissions {
        names: vec!["runs:read".into()],
        set: false,
    };
    let narrowed = narrow(&token, &[reads], &*site.stand.entropy).unwrap();
    let other = site.token(RoleName::OWNER);
    for token in [&token, &second, &narrowed, &other] {
        assert_eq!(site.get("/orgs/acme/runs", token).await, allowed());
    }
    assert_eq!(site.stand.access.verifier().cached().0, 4);
    revoke(&site, Revocation::Session(claims.session));
    for token in [&token, &second, &narrowed] {
        assert_eq!(
            site.get("/orgs/acme/runs", token).await,
            error(401, "invalid_token")
        );
    }
    assert_eq!(site.get("/orgs/acme/runs", &other).await, allowed());
}

#[tokio::test]
async fn a_person_s_epoch_ends_all_sessions_of_that_person() {
    let site = Site::new();
    let claims = site.claims(RoleName::OWNER);
    let elsewhere = AccessClaims {
        org: None,
        session: site.claims(RoleName::OWNER).session,
        ..claims.clone()
    };
    let (first, second) = (site.stand.mint(&claims), site.stand.mint(&elsewhere));
    let other = site.token(RoleName::OWNER);
    assert_eq!(site.get("/me", &first).await, allowed());
    assert_eq!(site.get("/me", &second).await, allowed());
    revoke(&site, Revocation::User(claims.user, Epoch::new(2)));
    assert_eq!(site.get("/me", &first).await, error(401, "invalid_token"));
    assert_eq!(site.get("/me", &second).await, error(401, "invalid_token"));
    assert_eq!(site.get("/me", &other).await, allowed());
    let anew = AccessClaims {
        user_epoch: Epoch::new(2),
        ..claims
    };
    assert_eq!(site.get("/me", &site.stand.mint(&anew)).await, allowed());
}

#[tokio::test]
async fn a_membership_s_epoch_ends_that_organization_s_tokens_alone() {
    let site = Site::new();
    let claims = site.claims(RoleName::OWNER);
    let there = AccessClaims {
        org: Some(site.stand.org("globex", RoleName::OWNER)),
        ..claims.clone()
    };
    let nowhere = AccessClaims {
        org: None,
        ..claims.clone()
    };
    let [here, there, nowhere] = [&claims, &there, &nowhere].map(|c| site.stand.mint(c));
    assert_eq!(site.get("/orgs/acme/runs", &here).await, allowed());
    revoke(
        &site,
        Revocation::Member(site.org.id, claims.user, Epoch::new(2)),
    );
    assert_eq!(
        site.get("/orgs/acme/runs", &here).await,
        error(401, "invalid_token")
    );
    // one organization's administrator signs nobody out of another, nor out altogether
    assert_eq!(site.get("/orgs/globex/runs", &there).await, allowed());
    assert_eq!(site.get("/me", &nowhere).await, allowed());
    let anew = AccessClaims {
        org: Some(OrgClaims {
            member_epoch: Epoch::new(2),
            ..site.org.clone()
        }),
        ..claims
    };
    assert_eq!(
        site.get("/orgs/acme/runs", &site.stand.mint(&anew)).await,
        allowed()
    );
}

#[tokio::test]
async fn a_token_expires_in_the_memory_too() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    assert_eq!(site.get("/me", &token).await, allowed());
    site.stand.clock.advance(Duration::from_micros(299_999_999));
    assert_eq!(site.get("/me", &token).await, allowed());
    site.stand.clock.advance(Duration::from_micros(1));
    assert_eq!(site.get("/me", &token).await, error(401, "invalid_token"));
}

#[tokio::test]
async fn many_tokens_of_one_session_push_out_no_one_else_s() {
    let site = Site::new();
    let others: Vec<String> = (0..50).map(|_| site.token(RoleName::VIEWER)).collect();
    for token in &others {
        assert_eq!(site.get("/me", token).await, allowed());
    }
    let token = site.token(RoleName::OWNER);
    for number in 0..300 {
        let check = Narrow::Before {
            second: 4_000_000_000 + number,
            inclusive: false,
        };
        let distinct = narrow(&token, &[check], &*site.stand.entropy).unwrap();
        assert_eq!(site.get("/orgs/acme/runs", &distinct).await, allowed());
    }
    assert_eq!(site.stand.access.verifier().cached().0, 50 + 4);
}

#[tokio::test]
async fn past_the_bound_no_token_is_judged_and_strangers_are_served() {
    let site = Site::with_bound(Duration::from_secs(5));
    let token = site.token(RoleName::OWNER);
    let dead = site.claims(RoleName::OWNER);
    let revoked = site.stand.mint(&dead);
    site.stand.revocations.caught_up(site.stand.now());
    revoke(&site, Revocation::Session(dead.session));
    assert_eq!(site.get("/me", &token).await, allowed());
    site.stand.clock.advance(Duration::from_millis(5_001));
    let calls = site.calls();
    for path in ["/me", "/orgs/acme/runs", "/system/orgs", "/open"] {
        let answer = site.call("GET", path, Some(&token)).await;
        assert_eq!(answer.outcome(), error(503, "unavailable"), "{path}");
        assert_eq!(answer.headers["retry-after"], "1");
    }
    // What is known to be dead is not said to be alive.
    assert_eq!(site.get("/me", &revoked).await, error(401, "invalid_token"));
    assert_eq!(site.get("/me", "x").await, error(401, "invalid_token"));
    assert_eq!(site.calls(), calls);
    assert_eq!(site.get("/open", "x").await, allowed());
    site.stand.revocations.caught_up(site.stand.now());
    assert_eq!(site.get("/me", &token).await, allowed());
}
