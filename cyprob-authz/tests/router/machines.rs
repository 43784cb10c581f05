//! Service accounts, and roles that organizations define.

use cyprob_authz::domain::{AccessClaims, OrgClaims, ServiceClaims};
use cyprob_authz::service::{AccessMinter, ServiceMinter};
use cyprob_core::domain::audit::Actor;
use cyprob_core::domain::{CustomRole, Epoch, Revocation, RevocationEntry, RoleName, RoleVersion};
use cyprob_core::ports::RevocationFeed as _;
use secrecy::ExposeSecret as _;

use crate::support::{Site, allowed, error};

fn in_role(site: &Site, role: &CustomRole) -> OrgClaims {
    OrgClaims {
        role: role.name.clone(),
        version: Some(role.version),
        ..site.org.clone()
    }
}

fn service(site: &Site, role: RoleName) -> ServiceClaims {
    site.stand.service(OrgClaims {
        role,
        ..site.org.clone()
    })
}

/// The role with other permissions, as an edit leaves it.
fn edited(site: &Site, role: &CustomRole, permissions: &str) -> CustomRole {
    let next = CustomRole {
        version: RoleVersion {
            epoch: role.version.epoch.next(),
            ..role.version
        },
        permissions: permissions.parse().unwrap(),
        ..role.clone()
    };
    site.stand.roles.put(next.clone());
    let what = Revocation::Role(site.org.id, next.version.id, next.version.epoch);
    let expires_at = site.stand.claims(None).expires_at;
    site.stand
        .revocations
        .publish(&[RevocationEntry { what, expires_at }]);
    next
}

#[tokio::test]
async fn asvs_8_3_2_an_edited_role_counts_at_once() {
    let site = Site::new();
    let role = site.stand.define("triage", "runs:read runs:create");
    let claims = site.stand.claims(Some(in_role(&site, &role)));
    let machine = site.stand.service(in_role(&site, &role));
    let old = site.stand.mint(&claims);
    let old_machine = site.stand.mint_service(&machine);
    for token in [&old, &old_machine] {
        assert_eq!(site.get("/orgs/acme/runs", token).await, allowed());
        let created = site.call("POST", "/orgs/acme/runs", Some(token)).await;
        assert_eq!(created.outcome(), allowed());
    }
    assert_eq!(site.stand.roles.asked(), 1, "a version is read once");

    let narrower = edited(&site, &role, "runs:read");
    for token in [&old, &old_machine] {
        let answer = site.get("/orgs/acme/runs", token).await;
        assert_eq!(answer, error(401, "invalid_token"));
    }
    let anew = AccessClaims {
        org: Some(in_role(&site, &narrower)),
        ..claims
    };
    let new = site.stand.mint(&anew);
    assert_eq!(site.get("/orgs/acme/runs", &new).await, allowed());
    let created = site.call("POST", "/orgs/acme/runs", Some(&new)).await;
    assert_eq!(created.outcome(), error(403, "forbidden"));
    assert_eq!(site.stand.roles.asked(), 2);
}

#[tokio::test]
async fn a_version_that_is_past_is_refused_before_its_revocation_comes_in() {
    let site = Site::new();
    let role = site.stand.define("triage", "runs:read");
    let gone = site.stand.define("gone", "runs:read");
    let claims = |role| {
        site.stand
            .mint(&site.stand.claims(Some(in_role(&site, role))))
    };
    let (stale, orphan) = (claims(&role), claims(&gone));
    // another node edits the one and deletes the other, and nothing is heard of it yet
    site.stand.roles.put(CustomRole {
        version: RoleVersion {
            epoch: Epoch::new(7),
            ..role.version
        },
        ..role
    });
    site.stand.roles.remove(gone.version.id);
    for _ in 0..3 {
        for token in [&stale, &orphan] {
            let answer = site.get("/orgs/acme/runs", token).await;
            assert_eq!(answer, error(401, "invalid_token"));
        }
    }
    assert_eq!(
        site.stand.roles.asked(),
        2,
        "what was learned is not asked again"
    );
}

#[tokio::test]
async fn a_role_that_nobody_defined_permits_nothing() {
    let site = Site::new();
    let token = site.token("stranger".parse().unwrap());
    let answer = site.get("/orgs/acme/runs", &token).await;
    assert_eq!(answer, error(403, "forbidden"));
    assert_eq!(site.get("/me", &token).await, allowed());
}

#[tokio::test]
async fn asvs_8_2_1_a_service_account_is_refused_what_only_a_person_may() {
    let site = Site::new();
    let claims = service(&site, RoleName::ADMIN);
    let token = site.stand.mint_service(&claims);
    assert_eq!(site.get("/orgs/acme/runs", &token).await, allowed());
    let ran = site.calls();
    for (method, path) in [
        ("GET", "/me"),
        ("POST", "/me/password"),
        ("GET", "/system/orgs"),
        ("PUT", "/orgs/acme/secrets/x"),
    ] {
        let answer = site.call(method, path, Some(&token)).await;
        assert_eq!(answer.outcome(), error(403, "forbidden"), "{path}");
    }
    let foreign = site.get("/orgs/globex/runs", &token).await;
    assert_eq!(foreign, error(404, "not_found"));
    assert_eq!(site.calls(), ran);
    // it counts as nobody where anyone may call
    let open = site.call("GET", "/open", Some(&token)).await;
    assert_eq!(open.body, "stranger");
    let denials = site.stand.denials.events();
    let reasons: Vec<_> = denials
        .iter()
        .filter_map(|it| it.reason.as_deref())
        .collect();
    assert_eq!(
        reasons,
        [
            "not_a_person",
            "not_a_person",
            "not_administrator",
            "not_a_person",
            "foreign_organization"
        ]
    );
    assert!(denials.iter().all(|event| {
        event.org == Some(site.org.id)
            && matches!(event.actor, Actor::Service { id, key, token: Some(_), on_behalf_of }
                if id == claims.account && key == claims.key && on_behalf_of == claims.on_behalf_of)
    }));
}

#[tokio::test]
async fn asvs_9_2_2_a_token_of_one_kind_serves_no_other_purpose() {
    let site = Site::new();
    let (stand, claims) = (&site.stand, service(&site, RoleName::ADMIN));
    // the rings know a key of the same number: each signs for its own purpose alone
    let minter = ServiceMinter::new(stand.key.clone());
    let crossed = minter.mint(&claims, &*stand.entropy).await;
    let person = site.claims(RoleName::ADMIN);
    let minter = AccessMinter::new(stand.service_key.clone());
    let other = minter.mint(&person, &*stand.entropy).await;
    for token in [crossed.unwrap(), other.unwrap()] {
        let answer = site.get("/orgs/acme/runs", token.expose_secret()).await;
        assert_eq!(answer, error(401, "invalid_token"));
    }
    let job = stand.mint_job(&stand.job());
    let answer = site.get("/orgs/acme/runs", &job).await;
    assert_eq!(answer, error(401, "invalid_token"));
}

#[tokio::test]
async fn a_revoked_key_ends_its_own_tokens_at_once() {
    let site = Site::new();
    let claims = service(&site, RoleName::OPERATOR);
    let second = ServiceClaims {
        key: service(&site, RoleName::OPERATOR).key,
        ..claims.clone()
    };
    let [first, other] = [&claims, &second].map(|claims| site.stand.mint_service(claims));
    assert_eq!(site.get("/orgs/acme/runs", &first).await, allowed());
    let what = Revocation::ServiceKey(site.org.id, claims.key);
    let expires_at = claims.expires_at;
    site.stand
        .revocations
        .publish(&[RevocationEntry { what, expires_at }]);
    let answer = site.get("/orgs/acme/runs", &first).await;
    assert_eq!(answer, error(401, "invalid_token"));
    assert_eq!(site.get("/orgs/acme/runs", &other).await, allowed());
}
