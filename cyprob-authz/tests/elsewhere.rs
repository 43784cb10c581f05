//! Verifying tokens by the published keys alone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

use std::time::Duration;

use cyprob_authz::domain::{
    Decision, Demand, KeyRing, Need, Permission, RoleCatalog, Rule, decide,
};
use cyprob_authz::service::{
    PublicVerifier, PublishedKeysError, TokenError, attenuate, random_uses,
};
use cyprob_authz::testkit::{AUDIENCE, Stand};
use cyprob_core::domain::{RoleName, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

fn keys(ring: &KeyRing) -> Value {
    json!(ring.published())
}

fn published(stand: &Stand) -> String {
    let ring = |key: &cyprob_authz::adapters::SigningKey| {
        KeyRing::new([key.ring_key(Timestamp::UNIX_EPOCH)]).unwrap()
    };
    json!({
        "api_version": "v1",
        "token_keys": keys(&ring(&stand.key)),
        "service_token_keys": keys(&ring(&stand.service_key)),
    })
    .to_string()
}

fn verifier(published: &str) -> Result<PublicVerifier, PublishedKeysError> {
    PublicVerifier::new(published, AUDIENCE.parse().unwrap(), RoleCatalog::builtin())
}

#[test]
fn a_token_is_decided_as_its_control_plane_decides() {
    let stand = Stand::new(12);
    let elsewhere = verifier(&published(&stand)).unwrap();
    for role in RoleName::BUILTIN {
        let org = stand.org("acme", role);
        let person = stand.mint(&stand.claims(Some(org.clone())));
        let machine = stand.mint_service(&stand.service(org));
        for token in [person, machine] {
            let there = elsewhere.verify(&token, stand.now()).unwrap();
            let here = stand.access.authenticate(&token, stand.now()).unwrap();
            for permission in Permission::ALL {
                let demand = Demand {
                    need: Need::Org(*permission),
                    step_up: false,
                    org: Some("acme"),
                    resources: &[],
                    address: None,
                    at: stand.now(),
                    used: None,
                };
                assert_eq!(decide(&there, &demand), decide(&here, &demand));
            }
        }
    }
}

/// A verifier that asks nobody does not know which uses are spent, so it permits none.
#[test]
fn a_token_of_single_uses_is_permitted_nothing() {
    let stand = Stand::new(12);
    let elsewhere = verifier(&published(&stand)).unwrap();
    let token = stand.token("acme", RoleName::OWNER).into();
    let once = attenuate(&token, &[random_uses(1, &*stand.entropy)], &*stand.entropy);
    let once = once.unwrap();
    let there = elsewhere.verify(once.expose_secret(), stand.now()).unwrap();
    for permission in Permission::ALL {
        let demand = Demand {
            need: Need::Org(*permission),
            step_up: false,
            org: Some("acme"),
            resources: &[],
            address: None,
            at: stand.now(),
            used: None,
        };
        let decision = decide(&there, &demand);
        assert_eq!(decision, Decision::deny(Rule::UseNotTaken));
    }
}

#[test]
fn what_the_keys_do_not_sign_is_refused() {
    let (stand, other) = (Stand::new(12), Stand::new(13));
    let elsewhere = verifier(&published(&stand)).unwrap();
    let token = stand.mint(&stand.claims(None));
    let foreign = other.mint(&other.claims(None));
    assert_eq!(
        elsewhere.verify(&foreign, other.now()).unwrap_err(),
        TokenError::Signature
    );
    let late = stand.now().after(Duration::from_secs(3_600));
    assert_eq!(
        elsewhere.verify(&token, late).unwrap_err(),
        TokenError::Expired
    );
    let job = stand.mint_job(&stand.job());
    assert!(elsewhere.verify(&job, stand.now()).is_err());

    // A key that is revoked, or left, verifies nothing, not even what is remembered.
    assert!(elsewhere.verify(&token, stand.now()).is_ok());
    let revoked = published(&stand).replace("\"active\"", "\"revoked\"");
    elsewhere.replace(&revoked).unwrap();
    assert_eq!(
        elsewhere.verify(&token, stand.now()).unwrap_err(),
        TokenError::UnknownKey
    );

    // Nor does another key by the same id, whatever is remembered.
    elsewhere.replace(&published(&stand)).unwrap();
    assert!(elsewhere.verify(&token, stand.now()).is_ok());
    elsewhere.replace(&published(&other)).unwrap();
    assert_eq!(
        elsewhere.verify(&token, stand.now()).unwrap_err(),
        TokenError::UnknownKey
    );
    elsewhere
        .replace(r#"{"token_keys": [], "service_token_keys": []}"#)
        .unwrap();
    assert_eq!(
        elsewhere.verify(&token, stand.now()).unwrap_err(),
        TokenError::UnknownKey
    );

    // An organization's own role is not known here, and permits nothing.
    elsewhere.replace(&published(&stand)).unwrap();
    let role = stand.define("triage", "runs:read");
    let org = cyprob_authz::domain::OrgClaims {
        version: Some(role.version),
        ..stand.org("acme", role.name)
    };
    let own = stand.mint(&stand.claims(Some(org)));
    let principal = elsewhere.verify(&own, stand.now()).unwrap();
    assert!(principal.permissions().is_empty());
}

#[test]
fn a_text_that_is_kept_for_long_trusts_no_retired_key() {
    let stand = Stand::new(12);
    let end = stand.now().after(Duration::from_secs(100));
    let leaving = format!("\"not_after\":\"{end}\",\"status\"");
    let elsewhere = verifier(&published(&stand).replace("\"status\"", &leaving)).unwrap();
    let token = stand.mint(&stand.claims(None));
    let before = end.before(Duration::from_micros(1));
    assert!(elsewhere.verify(&token, before).is_ok());
    // Not even what is remembered.
    assert_eq!(
        elsewhere.verify(&token, end).unwrap_err(),
        TokenError::UnknownKey
    );
}

#[test]
fn keys_that_are_none_are_told() {
    let stand = Stand::new(12);
    let good = published(&stand);
    let elsewhere = verifier(&good).unwrap();
    for (bad, told) in [
        ("", "not what /.well-known/cyprob answers"),
        ("{}", "not what /.well-known/cyprob answers"),
        (
            &good.replace("ed25519/", "secp256r1/"),
            "key 1 is not written as ed25519/",
        ),
        (&good.replace("\"active\"", "\"good\""), "no key status"),
        (
            &good.replace("\"status\"", "\"not_after\":\"soon\",\"status\""),
            "key 1 verifies until what is no time",
        ),
    ] {
        assert!(
            verifier(bad).unwrap_err().to_string().contains(told),
            "{bad}"
        );
        assert!(elsewhere.replace(bad).is_err());
    }
    // What was there stays.
    let token = stand.mint(&stand.claims(None));
    assert!(elsewhere.verify(&token, stand.now()).is_ok());
}
