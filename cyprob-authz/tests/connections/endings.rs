//! Whatever ends a token ends what was opened with it, and nothing else.

use std::time::Duration;

use cyprob_authz::domain::policy::{Condition, Grant, Hours, Placed, RoleSource};
use cyprob_authz::domain::{
    AccessClaims, KeyRing, KeyStatus, OrgClaims, Permission, PermissionSet, RingKey, RoleCatalog,
    ServiceClaims,
};
use cyprob_authz::testkit::{Narrow, Stand, narrow};
use cyprob_core::domain::{Position, Revocation, Timestamp};
use cyprob_core::ports::RevocationFeed as _;

use crate::support::Site;

/// Opens a stream and a socket with a token, and the same with another; brings
/// something about, upon which those of the first end and say why. Those of the
/// other go on, if there is one.
async fn ends(site: &Site, token: &str, other: Option<&str>, cause: impl FnOnce(&Site), why: &str) {
    let (events, socket) = match why {
        "stale_authentication" => ("/orgs/acme/fresh", "/orgs/acme/fresh-socket"),
        "fewer_objects" => ("/orgs/acme/objects", "/orgs/acme/objects-socket"),
        _ => ("/orgs/acme/events", "/orgs/acme/socket"),
    };
    let mut stream = site.get(events, token).await;
    let mut echo = site.get(socket, token).await;
    assert_eq!((stream.status(), echo.status()), (200, 101), "{why}");
    let others = match other {
        Some(other) => Some((site.get(events, other).await, site.get(socket, other).await)),
        None => None,
    };
    // longer than it takes to ask once more
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(stream.goes_on().await && echo.echoes().await, "{why}");
    cause(site);
    stream.ends_cleanly().await;
    assert_eq!(echo.rest().await, why);
    if let Some((mut stream, mut echo)) = others {
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert!(stream.goes_on().await && echo.echoes().await, "{why}");
    }
    drop((stream, echo));
}

/// A stream and a socket that end when something is revoked.
async fn ends_when_revoked(what: impl FnOnce(&AccessClaims, &OrgClaims) -> Revocation) {
    let site = Site::new().await;
    let claims = site.claims();
    let revoked = what(&claims, &site.org);
    let other = site.stand.mint(&site.claims());
    let token = site.stand.mint(&claims);
    let cause = |site: &Site| site.revoke(revoked);
    ends(&site, &token, Some(&other), cause, "revoked").await;
    site.empty().await;
}

#[tokio::test]
async fn a_connection_ends_with_its_session() {
    ends_when_revoked(|claims, _| Revocation::Session(claims.session)).await;
}

#[tokio::test]
async fn a_connection_ends_with_the_access_to_its_organization() {
    ends_when_revoked(|claims, org| Revocation::Grant(claims.session, org.id)).await;
}

#[tokio::test]
async fn a_connection_ends_with_the_epoch_of_its_person() {
    ends_when_revoked(|claims, _| Revocation::User(claims.user, claims.user_epoch.next())).await;
}

#[tokio::test]
async fn a_connection_ends_with_the_epoch_of_the_membership() {
    ends_when_revoked(|claims, org| {
        Revocation::Member(org.id, claims.user, org.member_epoch.next())
    })
    .await;
}

#[tokio::test]
async fn a_connection_ends_with_the_version_of_its_role() {
    let site = Site::new().await;
    let role = site.stand.define("triage", "runs:read");
    let token = site.stand.mint(&AccessClaims {
        org: Some(OrgClaims {
            role: role.name.clone(),
            version: Some(role.version),
            ..site.org.clone()
        }),
        ..site.claims()
    });
    let other = site.stand.mint(&site.claims());
    let past = Revocation::Role(site.org.id, role.version.id, role.version.epoch.next());
    let cause = |site: &Site| site.revoke(past);
    ends(&site, &token, Some(&other), cause, "revoked").await;
}

#[tokio::test]
async fn a_machine_s_connection_ends_with_its_key_and_with_the_account() {
    for whole in [false, true] {
        let site = Site::new().await;
        let claims = site.stand.service(site.org.clone());
        let second = ServiceClaims {
            account: match whole {
                true => site.stand.service(site.org.clone()).account,
                false => claims.account,
            },
            key: site.stand.service(site.org.clone()).key,
            ..claims.clone()
        };
        let what = match whole {
            true => Revocation::Service(site.org.id, claims.account, site.org.member_epoch.next()),
            false => Revocation::ServiceKey(site.org.id, claims.key),
        };
        let token = site.stand.mint_service(&claims);
        let other = site.stand.mint_service(&second);
        let cause = |site: &Site| site.revoke(what);
        ends(&site, &token, Some(&other), cause, "revoked").await;
    }
}

#[tokio::test]
async fn a_connection_ends_when_its_key_is_revoked_or_leaves_the_ring() {
    for status in [Some(KeyStatus::Revoked), None] {
        let site = Site::new().await;
        let token = site.stand.mint(&site.claims());
        let machine = site.stand.service(site.org.clone());
        let other = site.stand.mint_service(&machine);
        let key = site.stand.key.ring_key(Timestamp::UNIX_EPOCH);
        let left = status.map(|status| RingKey { status, ..key });
        let cause = |site: &Site| {
            let ring = KeyRing::new(left).unwrap();
            site.stand.access.verifier().ring().replace(ring).unwrap();
        };
        ends(&site, &token, Some(&other), cause, "key_gone").await;
    }
}

#[tokio::test]
async fn a_connection_ends_when_its_token_does() {
    let site = Site::new().await;
    let token = site.stand.mint(&AccessClaims {
        expires_at: site.stand.now().after(Duration::from_secs(300)),
        ..site.claims()
    });
    let other = site.stand.mint(&site.claims());
    let cause = |site: &Site| site.stand.clock.advance(Duration::from_secs(300));
    ends(&site, &token, Some(&other), cause, "expired").await;
}

#[tokio::test]
async fn a_connection_ends_at_the_holder_s_own_deadline() {
    let site = Site::new().await;
    let other = site.stand.mint(&site.claims());
    let check = Narrow::Before {
        second: u64::try_from(site.stand.now().as_seconds()).unwrap() + 60,
        inclusive: false,
    };
    let token = narrow(&other, &[check], &*site.stand.entropy).unwrap();
    let cause = |site: &Site| site.stand.clock.advance(Duration::from_secs(60));
    ends(&site, &token, Some(&other), cause, "expired").await;
}

#[tokio::test]
async fn a_connection_ends_when_nobody_knows_what_was_revoked() {
    let site = Site::of(Stand::with_bound(5, Duration::from_secs(5))).await;
    site.stand.revocations.caught_up(site.stand.now());
    let token = site.stand.mint(&site.claims());
    let cause = |site: &Site| site.stand.clock.advance(Duration::from_millis(5_001));
    ends(&site, &token, None, cause, "unknown").await;
}

/// A site where the role `day` reads runs in the first minutes, as far as a condition goes, and at all times under others.
async fn by_day(first: Condition, always: &[Condition]) -> Site {
    fn placed<T>(it: T) -> Placed<T> {
        let at = Position { line: 1, column: 1 };
        Placed { at, it }
    }
    // the stand's clock begins with a Thursday
    let window = "thu 00:00-00:05".parse().unwrap();
    let first = Condition {
        hours: Some(Hours::new([window]).unwrap()),
        ..first
    };
    let reads = |when: &Condition| {
        placed(Grant {
            permissions: PermissionSet::of(&[Permission::RunsRead]),
            when: when.clone(),
        })
    };
    let day = RoleSource {
        name: placed("day".parse().unwrap()),
        includes: Vec::new(),
        grants: [&first].into_iter().chain(always).map(reads).collect(),
    };
    let roles = RoleCatalog::builtin().with_policy(&[day]).unwrap();
    Site::of(Stand::with_roles(5, roles)).await
}

fn day_token(site: &Site) -> String {
    site.stand.mint(&AccessClaims {
        org: Some(OrgClaims {
            role: "day".parse().unwrap(),
            ..site.org.clone()
        }),
        ..site.claims()
    })
}

#[tokio::test]
async fn a_connection_ends_when_its_role_has_fewer_objects() {
    let own = Condition {
        own: true,
        ..Condition::default()
    };
    let tagged = Condition {
        tags: ["team:web".parse().unwrap()].into(),
        ..Condition::default()
    };
    for first in [tagged, Condition::default()] {
        let site = by_day(first, std::slice::from_ref(&own)).await;
        let other = site.stand.mint(&site.claims());
        let cause = |site: &Site| site.stand.clock.advance(Duration::from_secs(300));
        ends(
            &site,
            &day_token(&site),
            Some(&other),
            cause,
            "fewer_objects",
        )
        .await;
        // Who comes now has one's own, and keeps them.
        let mut late = site.get("/orgs/acme/objects", &day_token(&site)).await;
        assert_eq!(late.status(), 200);
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert!(late.goes_on().await);
        assert!(site.stand.denials.events().is_empty());
    }
}

#[tokio::test]
async fn a_connection_ends_with_the_hours_of_its_role() {
    let site = by_day(Condition::default(), &[]).await;
    let other = site.stand.mint(&site.claims());
    let token = day_token(&site);
    let cause = |site: &Site| site.stand.clock.advance(Duration::from_secs(300));
    ends(&site, &token, Some(&other), cause, "condition_hours").await;
    // nobody was refused anything
    assert!(site.stand.denials.events().is_empty());
}

#[tokio::test]
async fn a_connection_that_took_a_fresh_sign_in_ends_when_it_is_old() {
    let site = Site::new().await;
    let other = site.stand.mint(&site.claims());
    let token = site.stand.mint(&AccessClaims {
        auth_time: site.stand.now().before(Duration::from_secs(200)),
        ..site.claims()
    });
    let cause = |site: &Site| site.stand.clock.advance(Duration::from_secs(101));
    ends(&site, &token, Some(&other), cause, "stale_authentication").await;
}

#[tokio::test]
async fn a_worker_s_stream_ends_at_its_deadline() {
    let site = Site::new().await;
    let job = site.stand.job();
    let token = site.stand.mint_job(&job);
    let path = format!("/worker/runs/{}/events", job.run);
    let mut stream = site.send("POST", &path, Some(&token)).await;
    assert_eq!((stream.status(), site.holders()), (200, 1));
    assert!(stream.goes_on().await);
    site.stand.clock.advance(Duration::from_secs(60));
    stream.ends_cleanly().await;
    site.empty().await;
}

#[tokio::test]
async fn a_stream_that_its_handler_ends_gives_the_place_back() {
    let site = Site::new().await;
    let token = site.stand.mint(&site.claims());
    let stream = site.send("HEAD", "/orgs/acme/events", Some(&token)).await;
    assert_eq!(stream.status(), 200);
    site.empty().await;
}
