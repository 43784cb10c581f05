//! Keys of a transit engine: made, shown by their public half, and used.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cyprob_secrets::adapters::vault::{
    TransitError, TransitKey, TransitRefusal, Vault, VaultTransit,
};
use cyprob_secrets::domain::SecretVersion;
use cyprob_secrets::testkit::canary::shows;
use cyprob_secrets::testkit::fault_proxy::Fault;
use serde_json::json;

use crate::listening::listening;
use crate::stand::Stand;

const MARKER: &str = "m4rk3r-0f-4-tr4ns1t-4nsw3r-90aa";

fn stand() -> Stand {
    let stand = Stand::new();
    let mount = format!("sys/mounts/{}-transit", stand.name);
    stand.admin.make("POST", &mount, json!({"type": "transit"}));
    allow(&stand, "read", "update");
    stand
}

fn allow(stand: &Stand, keys: &str, sign: &str) {
    let name = &stand.name;
    stand.policy(&format!(
        "path \"{name}-transit/keys/+\" {{ capabilities = [\"update\", \"{keys}\"] }}\n\
         path \"{name}-transit/sign/+\" {{ capabilities = [\"{sign}\"] }}\n"
    ));
}

fn path(stand: &Stand, below: &str) -> String {
    format!("{}-transit/{below}", stand.name)
}

fn over(stand: &Stand, vault: Vault) -> VaultTransit {
    VaultTransit::new(vault, format!("{}-transit", stand.name).parse().unwrap())
}

fn key(name: &str) -> TransitKey {
    TransitKey {
        name: name.parse().unwrap(),
        version: SecretVersion::FIRST,
    }
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, TransitError>) -> TransitRefusal {
    match answer {
        Err(TransitError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_signs_the_message_itself_and_shows_its_public_half() {
    let stand = stand();
    let vault = stand.connect(stand.given()).await.unwrap();
    let transit = over(&stand, vault);
    let app = key("app");
    assert_eq!(transit.public(&app).await.unwrap(), None);
    transit.make(&app.name).await.unwrap();
    let public = transit.public(&app).await.unwrap().unwrap();
    let (_, shown) = stand.admin.ask("GET", &path(&stand, "keys/app"), None);
    let data = &shown["data"];
    assert_eq!(data["keys"]["1"]["public_key"], STANDARD.encode(public));
    assert_eq!(data["type"], "ed25519");
    for never in ["exportable", "allow_plaintext_backup", "derived"] {
        assert_eq!(data[never], false, "{never}");
    }
    for message in [&b""[..], b"a message", &[0xff; 70_000]] {
        let signature = transit.sign(&app, message).await.unwrap();
        // The engine itself verifies it, by the same standard.
        let verify = json!({
            "input": STANDARD.encode(message),
            "signature": format!("vault:v1:{}", STANDARD.encode(signature)),
        });
        let verified = stand
            .admin
            .make("POST", &path(&stand, "verify/app"), verify);
        assert_eq!(verified["data"]["valid"], true);
    }
    // To make it again makes nothing.
    transit.make(&app.name).await.unwrap();
    assert_eq!(transit.public(&app).await.unwrap(), Some(public));
}

#[tokio::test]
async fn versions_are_told_apart() {
    let stand = stand();
    let transit = over(&stand, stand.connect(stand.given()).await.unwrap());
    let first = key("app");
    transit.make(&first.name).await.unwrap();
    let second = TransitKey {
        version: SecretVersion::new(2).unwrap(),
        ..first.clone()
    };
    assert_eq!(
        refusal(transit.public(&second).await),
        TransitRefusal::NoKey
    );
    assert!(transit.sign(&second, b"a").await.is_err());
    let one = transit.sign(&first, b"a").await.unwrap();
    let rotate = path(&stand, "keys/app/rotate");
    stand.admin.make("POST", &rotate, json!({}));
    assert_eq!(transit.sign(&first, b"a").await.unwrap(), one);
    assert_ne!(transit.sign(&second, b"a").await.unwrap(), one);
    let publics = (transit.public(&first).await, transit.public(&second).await);
    assert_ne!(publics.0.unwrap(), publics.1.unwrap());
}

#[tokio::test]
async fn keys_of_another_kind_and_keys_that_may_leave_are_refused() {
    let stand = stand();
    let transit = over(&stand, stand.connect(stand.given()).await.unwrap());
    for (name, made, expected) in [
        ("aes", json!({}), TransitRefusal::OtherKind),
        (
            "ecdsa",
            json!({"type": "ecdsa-p256"}),
            TransitRefusal::OtherKind,
        ),
        (
            "derived",
            json!({"type": "ed25519", "derived": true}),
            TransitRefusal::OtherKind,
        ),
        (
            "exportable",
            json!({"type": "ed25519", "exportable": true}),
            TransitRefusal::Leaves,
        ),
        (
            "backup",
            json!({"type": "ed25519", "allow_plaintext_backup": true}),
            TransitRefusal::Leaves,
        ),
    ] {
        let place = path(&stand, &format!("keys/{name}"));
        stand.admin.make("POST", &place, made);
        // To make a key of that name is no error of the engine, and changes nothing.
        transit.make(&name.parse().unwrap()).await.unwrap();
        assert_eq!(
            refusal(transit.public(&key(name)).await),
            expected,
            "{name}"
        );
    }
}

#[tokio::test]
async fn who_is_not_allowed_or_not_known_is_told_so() {
    let stand = stand();
    let vault = stand.connect(stand.given()).await.unwrap();
    let transit = over(&stand, vault.clone());
    let app = key("app");
    transit.make(&app.name).await.unwrap();
    let nobody = key("nobody");
    let signed = transit.sign(&nobody, b"a").await;
    assert_eq!(refusal(signed), TransitRefusal::NoKey);
    let mount = format!("{}-nowhere", stand.name).parse().unwrap();
    let elsewhere = VaultTransit::new(vault.clone(), mount);
    // What the policy does not name is denied before it is looked for.
    let signed = elsewhere.sign(&app, b"a").await;
    assert_eq!(refusal(signed), TransitRefusal::Denied);
    allow(&stand, "deny", "deny");
    let denied = TransitRefusal::Denied;
    assert_eq!(refusal(transit.sign(&app, b"a").await), denied);
    assert_eq!(refusal(transit.public(&app).await), denied);
    assert_eq!(refusal(transit.make(&app.name).await), denied);
    allow(&stand, "read", "update");
    transit.sign(&app, b"a").await.unwrap();
    // A role that is gone, and the token with it.
    stand.admin.make("DELETE", &stand.role_path(""), json!({}));
    vault.log_out().await.unwrap();
    let signed = transit.sign(&app, b"a").await;
    assert_eq!(refusal(signed), TransitRefusal::NoLogin);
}

#[tokio::test]
async fn sec_1_what_the_engine_answers_is_in_no_error_and_no_log() {
    let stand = stand();
    let (log, _listening) = listening();
    let (proxy, vault) = stand.through(stand.given()).await;
    let transit = over(&stand, vault);
    let app = key("app");
    transit.make(&app.name).await.unwrap();
    let echo = |code, body: &str| Fault::Status {
        code,
        body: body.replace('M', MARKER),
    };
    let mut texts = vec![format!("{transit:?} {transit:#?}")];
    for (code, body) in [
        (200, r#"{"data":{"signature":"vault:v1:M"}}"#),
        (200, r#"{"data":{"signature":["M"]}}"#),
        (
            200,
            r#"{"data":{"type":"M","keys":{"1":{"public_key":"M"}}}}"#,
        ),
        (
            200,
            r#"{"data":{"type":"ed25519","derived":false,"exportable":false,"allow_plaintext_backup":false,"keys":{"1":{"public_key":"M"}}}}"#,
        ),
        (200, "M"),
        (400, r#"{"errors":["M"]}"#),
        (403, r#"{"errors":["M"]}"#),
        (404, r#"{"errors":["M"]}"#),
        (500, r#"{"errors":["M"]}"#),
        (503, "M"),
    ] {
        proxy.inject_on(&format!("/v1/{}", path(&stand, "")), echo(code, body));
        let signed = transit.sign(&app, MARKER.as_bytes()).await.map(drop);
        let shown = transit.public(&app).await.map(drop);
        for error in [signed.unwrap_err()].into_iter().chain(shown.err()) {
            let source = error.source().map(|source| format!("{source} {source:?}"));
            texts.push(format!("{error} {error:?} {source:?}"));
        }
    }
    let said = log.text();
    assert!(said.contains("TRACE"), "{}", said.len());
    texts.push(said);
    for secret in [MARKER.to_owned(), STANDARD.encode(MARKER)] {
        assert!(texts.iter().all(|text| !shows(text, &secret)));
    }
}
