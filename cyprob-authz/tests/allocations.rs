//! A warm decision allocates nothing.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use cyprob_authz::domain::{Demand, Narrowing, Need, Permission};
use cyprob_authz::service::attenuate;
use cyprob_authz::testkit::Stand;
use cyprob_core::domain::audit::Actor;
use cyprob_core::domain::{Caller, Epoch, OrgCtx, Revocation, RevocationEntry, RoleName};
use cyprob_core::ports::RevocationFeed as _;
use secrecy::{ExposeSecret as _, SecretString};

/// From the token's text to the proof of the organization, as a request is decided.
fn decide(stand: &Stand, token: &str) -> OrgCtx {
    let at = stand.now();
    let principal = stand.access.authenticate(token, at).unwrap();
    let demand = Demand {
        need: Need::Org(Permission::RunsRead),
        step_up: false,
        org: Some("acme"),
        resources: &["run_a"],
        address: "10.1.2.3".parse().ok(),
        at,
        used: None,
    };
    let caller = Caller {
        actor: Actor::Anonymous,
        origin: Default::default(),
        request_id: None,
    };
    let admitted = stand.access.admit_org(&principal, &demand, caller);
    admitted.unwrap()
}

fn narrowed(stand: &Stand, token: &str) -> String {
    let by = [
        Narrowing::Permissions(vec!["runs:read".to_owned()]),
        Narrowing::Resources(vec!["run_a".to_owned()]),
        Narrowing::Addresses(vec!["10.0.0.0/8".parse().unwrap()]),
        Narrowing::Before(u64::try_from(stand.now().as_seconds()).unwrap() + 100),
    ];
    let token = SecretString::from(token.to_owned());
    let narrower = attenuate(&token, &by, &*stand.entropy).unwrap();
    narrower.expose_secret().to_owned()
}

/// Something of every kind is revoked, so that every table is asked.
fn revoke_others(stand: &Stand) {
    let other = stand.claims(Some(stand.org("globex", RoleName::OWNER)));
    let service = stand.service(stand.org("globex", RoleName::OWNER));
    let org = service.org.id;
    let kinds = [
        Revocation::Session(other.session),
        Revocation::Grant(other.session, org),
        Revocation::User(other.user, Epoch::new(2)),
        Revocation::Member(org, other.user, Epoch::new(2)),
        Revocation::Service(org, service.account, Epoch::new(2)),
        Revocation::ServiceKey(org, service.key),
    ];
    let expires_at = other.expires_at;
    let entry = |what| RevocationEntry { what, expires_at };
    stand.revocations.publish(&kinds.map(entry));
}

#[test]
fn a_warm_decision_allocates_nothing() {
    let stand = Stand::new(41);
    revoke_others(&stand);
    let own = stand.define("triage", "runs:read");
    let of_the_organization = {
        let org = stand.org("acme", own.name.clone());
        let org = cyprob_authz::domain::OrgClaims {
            version: Some(own.version),
            ..org
        };
        stand.mint(&stand.claims(Some(org)))
    };
    let plain = stand.token("acme", RoleName::OWNER);
    let machine = stand.mint_service(&stand.service(stand.org("acme", RoleName::VIEWER)));
    let narrower = narrowed(&stand, &plain);
    for (kind, token) in [
        ("a person's", &plain),
        ("a machine's", &machine),
        ("narrowed", &narrower),
        ("of an organization's own role", &of_the_organization),
    ] {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        // Its version of the role is read once.
        let known = runtime.block_on(stand.access.identify(token, stand.now()));
        known.unwrap();
        drop(decide(&stand, token));
        let count = |times: u32| {
            let counted = allocation_counter::measure(|| {
                (0..times).for_each(|_| drop(decide(&stand, token)));
            });
            counted.count_total
        };
        assert_eq!(count(1_000), 0, "{kind} token");
    }
    // A token that is seen for the first time does, so the counter counts.
    let cold = stand.token("acme", RoleName::OWNER);
    let counted = allocation_counter::measure(|| drop(decide(&stand, &cold)));
    assert!(counted.count_total > 0);
}
