//! An engine that is sealed, away, slow or wrong: an error in time, no wrong signature, and healing.

use std::error::Error;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cyprob::authz::ports::{CustodyError, KeyCustody as _, SignError};
use cyprob::secrets::adapters::vault::TransitError;
use cyprob::secrets::testkit::fault_proxy::Fault;
use serde_json::json;

use super::custody::refusal;
use crate::engine::{AT, Engine, USER, first_signer};

fn status(code: u16, body: &str) -> Fault {
    Fault::Status {
        code,
        body: body.to_owned(),
    }
}

/// What the causes say, of an engine that cannot be asked.
fn outage(error: &SignError) -> String {
    let cause = error.source().unwrap();
    let Some(TransitError::Unavailable { source }) = cause.downcast_ref() else {
        panic!("{cause:?}");
    };
    source.to_string()
}

#[tokio::test]
async fn an_outage_is_an_error_in_time_and_heals_by_itself() {
    let engine = Engine::new();
    let (proxy, keys) = engine.through_patiently().await;
    let signer = first_signer(&keys).await;
    for (fault, says) in [
        (status(503, r#"{"errors":["Vault is sealed"]}"#), "sealed"),
        (status(500, r#"{"errors":["internal"]}"#), "500"),
        (status(429, "{}"), "429"),
        (status(473, "{}"), "standby"),
        (status(412, "{}"), "412"),
        (Fault::Garbage, "not what the API states"),
        (Fault::Truncate(40), "broke off"),
        (Fault::Drop, "broke off"),
        (Fault::Reset, "broke off"),
        (Fault::Huge(3 << 20), "bytes"),
        (Fault::Hang, "in time"),
        (Fault::Delay(Duration::from_secs(4)), "in time"),
    ] {
        proxy.inject(fault.clone());
        for ready in [false, true] {
            let begun = Instant::now();
            let failed = match ready {
                true => signer.ready().await.unwrap_err(),
                false => signer.sign(b"a message").await.map(drop).unwrap_err(),
            };
            let took = begun.elapsed();
            assert!(took < Duration::from_millis(2_500), "{fault:?}: {took:?}");
            let said = outage(&failed);
            assert!(said.contains(says), "{fault:?}: {said}");
        }
        // The plans are not in the engine.
        keys.plan(USER, AT).await.unwrap();
        proxy.heal();
        signer.ready().await.unwrap();
        signer.sign(b"a message").await.unwrap();
    }
}

#[tokio::test]
async fn who_cannot_reach_it_makes_no_key_and_has_no_signer() {
    let engine = Engine::new();
    let (proxy, keys) = engine.through().await;
    let signer = first_signer(&keys).await;
    proxy.inject(Fault::Refuse);
    let begun = Instant::now();
    let said = outage(&signer.sign(b"a message").await.unwrap_err());
    assert!(said.contains("connect") || said.contains("broke"), "{said}");
    for failed in [
        keys.create(USER, AT).await.map(drop),
        keys.signer(USER, signer.id()).await.map(drop),
    ] {
        let failed = failed.unwrap_err();
        assert!(matches!(failed, CustodyError::Unavailable { .. }));
        assert_eq!(refusal(&failed), None);
    }
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert_eq!(engine.keys().len(), 1);
    proxy.heal();
    signer.sign(b"a message").await.unwrap();
    let made = keys.create(USER, AT).await.unwrap();
    assert!(keys.signer(USER, made.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_key_whose_making_was_not_answered_is_nobodys() {
    let engine = Engine::new();
    let (proxy, keys) = engine.through().await;
    keys.plan(USER, AT).await.unwrap();
    // It is made, and the answer cut off.
    proxy.inject_on(&format!("/v1/{}", engine.path("keys/")), Fault::Truncate(9));
    assert!(keys.create(USER, AT).await.is_err());
    proxy.heal();
    let made = keys.create(USER, AT).await.unwrap();
    assert_eq!(made.id.get(), 3);
    assert_eq!(keys.plan(USER, AT).await.unwrap().plan.keys().len(), 1);
}

#[tokio::test]
async fn a_wrong_signature_is_given_to_nobody() {
    let engine = Engine::new();
    let (proxy, keys) = engine.through().await;
    let signer = first_signer(&keys).await;
    let name = engine.keys().remove(0);
    let other = engine.path("keys/another");
    let kind = json!({"type": "ed25519"});
    engine.stand.admin.make("POST", &other, kind);
    let signed = |key: &str, text: &str| {
        let path = engine.path(&format!("sign/{key}"));
        let input = json!({ "input": base64(text.as_bytes()) });
        let answer = engine.stand.admin.make("POST", &path, input);
        answer["data"]["signature"].as_str().unwrap().to_owned()
    };
    let right = signed(&name, "a message");
    let zeros = format!("vault:v1:{}", base64(&[0; 64]));
    for (signature, verifies) in [
        (right.clone(), true),
        (signed(&name, "another message"), false),
        (signed("another", "a message"), false),
        (zeros, false),
        (right.replace(":v1:", ":v2:"), false),
        (right.replace("vault:", "hsm:"), false),
        (right[..right.len() - 4].to_owned(), false),
        (String::new(), false),
    ] {
        let body = json!({"data": {"signature": signature}}).to_string();
        proxy.inject_on(&format!("/v1/{}", engine.path("sign/")), status(200, &body));
        let given = signer.sign(b"a message").await;
        assert_eq!(given.is_ok(), verifies, "{signature}");
        // What it answers to everything is no answer to whether it signs.
        assert!(signer.ready().await.is_err());
    }
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
