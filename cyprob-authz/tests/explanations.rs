//! Decisions in words: each rule says what made it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

use cyprob_authz::domain::policy::{Condition, Grant, Rights};
use cyprob_authz::domain::{
    Decision, Demand, Narrowing, Need, Permission, PermissionSet, RoleCatalog, Rule,
    SystemPermission, decide,
};
use cyprob_authz::service::attenuate;
use cyprob_authz::testkit::Stand;
use cyprob_core::domain::{RoleName, Timestamp};

const DEMAND: Demand<'static> = Demand {
    need: Need::Org(Permission::RunsCreate),
    step_up: false,
    org: Some("acme"),
    resources: &[],
    address: None,
    at: Timestamp::UNIX_EPOCH,
    used: None,
};

fn desk() -> RoleCatalog {
    let grant = Grant {
        permissions: PermissionSet::of(&[Permission::RunsCreate]),
        when: Condition {
            addresses: vec!["10.0.0.0/8".parse().unwrap()],
            ..Condition::default()
        },
    };
    let rights = Rights::compile([grant]);
    RoleCatalog::builtin()
        .with_role("desk".parse().unwrap(), rights)
        .unwrap()
}

/// Which rule decided, and the words for it.
fn told(stand: &Stand, token: &str, demand: Demand<'_>) -> (Option<Rule>, String) {
    let demand = Demand {
        at: stand.now(),
        ..demand
    };
    let principal = stand.access.authenticate(token, demand.at).unwrap();
    let decision = decide(&principal, &demand);
    let rule = match decision {
        Decision::Permit => None,
        Decision::Deny { rule, .. } => Some(rule),
    };
    (rule, decision.explain(&principal, &demand))
}

#[test]
fn a_decision_says_what_made_it() {
    let stand = Stand::with_roles(9, desk());
    let of = |role: RoleName| stand.mint(&stand.claims(Some(stand.org("acme", role))));
    let desk = of("desk".parse().unwrap());
    let viewer = of(RoleName::VIEWER);
    let secret = of(RoleName::OWNER).into();
    let reads = Narrowing::Permissions(vec!["runs:read".to_owned()]);
    let narrowed = attenuate(&secret, &[reads], &*stand.entropy).unwrap();
    let narrowed = secrecy::ExposeSecret::expose_secret(&narrowed);
    let here = Demand {
        address: "10.1.2.3".parse().ok(),
        ..DEMAND
    };
    let elsewhere = Demand {
        org: Some("globex"),
        ..DEMAND
    };
    let system = Demand {
        need: Need::System(SystemPermission::OrgsRead),
        ..DEMAND
    };
    for (token, demand, rule, words) in [
        (
            &*desk,
            here,
            None,
            "the role desk permits runs:create if from 10.0.0.0/8",
        ),
        (
            &desk,
            DEMAND,
            Some(Rule::ConditionAddress),
            "the role desk permits runs:create if from 10.0.0.0/8, but the request came from elsewhere",
        ),
        (
            &viewer,
            DEMAND,
            Some(Rule::RolePermission),
            "the role viewer does not permit runs:create",
        ),
        (
            &viewer,
            elsewhere,
            Some(Rule::ForeignOrg),
            "the path names another organization than the token",
        ),
        (
            &viewer,
            system,
            Some(Rule::NotAdministrator),
            "the caller is not the deployment's administrator",
        ),
        (
            narrowed,
            DEMAND,
            Some(Rule::NarrowedPermission),
            "the holder narrowed the token to permissions without runs:create",
        ),
    ] {
        assert_eq!(told(&stand, token, demand), (rule, words.to_owned()));
    }
}

#[test]
fn every_rule_has_words_of_its_own() {
    let stand = Stand::with_roles(9, desk());
    let token = stand.mint(&stand.claims(Some(stand.org("acme", "desk".parse().unwrap()))));
    let principal = stand.access.authenticate(&token, stand.now()).unwrap();
    for rule in Rule::ALL {
        let words = Decision::deny(*rule).explain(&principal, &DEMAND);
        assert!(!words.starts_with("refused by rule"), "{rule:?}: {words}");
    }
}
