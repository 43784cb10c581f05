//! SEC-1: no token, and nothing of which one could be made, is in a log or an error.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cyprob::authz::ports::{KeyCustody as _, SignError};
use cyprob::secrets::testkit::canary::shows;
use cyprob::secrets::testkit::fault_proxy::Fault;
use serde_json::json;

use crate::engine::{Engine, FIRST, USER, first_signer};
use crate::listening::listening;
use crate::node::{Node, token};

const MARKER: &str = "m4rk3r-0f-4-tr4ns1t-m3ss4g3-51c7";

fn text(error: &SignError) -> String {
    let mut text = format!("{error:?} {error:#?}");
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        text.push_str(&format!(" {error} {error:?}"));
        next = error.source();
    }
    text
}

#[tokio::test]
async fn sec_1_neither_tokens_nor_signatures_are_shown() {
    let (log, _listening) = listening();
    let engine = Engine::new();
    let (proxy, keys) = engine.through().await;
    let signer = first_signer(&keys).await;
    let mut texts = vec![format!("{keys:?} {keys:#?} {signer:?} {signer:#?}")];
    let signature = signer.sign(MARKER.as_bytes()).await.unwrap();
    let echo = |code, body: &str| Fault::Status {
        code,
        body: body.replace('M', MARKER),
    };
    for fault in [
        Fault::Drop,
        Fault::Truncate(60),
        echo(200, r#"{"data":{"signature":"vault:v1:M"}}"#),
        echo(200, r#"{"data":{"signature":["M"]}}"#),
        echo(200, "M"),
        echo(400, r#"{"errors":["M"]}"#),
        echo(403, r#"{"errors":["M"]}"#),
        echo(500, r#"{"errors":["M"]}"#),
    ] {
        proxy.inject_on(&format!("/v1/{}", engine.path("")), fault);
        texts.push(text(&signer.sign(MARKER.as_bytes()).await.unwrap_err()));
        let asked = keys.signer(USER, FIRST).await.unwrap_err();
        texts.push(format!("{asked} {asked:?} {:?}", asked.source()));
    }
    proxy.heal();
    let node = Node::new(keys).await;
    let (status, pair) = node.log_in().await;
    assert_eq!(status, 200);
    let refresh = json!({ "refresh_token": pair["refresh_token"] });
    let (status, again) = node.post("/api/v1/auth/refresh", refresh).await;
    assert_eq!((status, node.me(&again).await), (200, 200));

    let said = log.text();
    assert!(
        said.contains("TRACE") && said.len() > 10_000,
        "{}",
        said.len()
    );
    let whole = [token(&pair), token(&again)].map(str::to_owned);
    let (standard, url) = (
        STANDARD.encode(signature),
        URL_SAFE_NO_PAD.encode(signature),
    );
    let list: Vec<_> = signature.iter().map(u8::to_string).collect();
    let secrets = [
        MARKER.to_owned(),
        STANDARD.encode(MARKER),
        standard.trim_end_matches('=').to_owned(),
        url,
        list.join(", "),
        whole[0].clone(),
        whole[1].clone(),
    ];
    texts.push(said);
    for secret in &secrets {
        assert!(secret.len() > 20);
        for text in &texts {
            assert!(!shows(text, secret), "shown: {secret}");
        }
    }
    println!("transit: {} texts searched", texts.len());
}
