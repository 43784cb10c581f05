//! SEC-1: what a Vault is sent and answers shows up in no log, at any level, in any failure.

use std::os::unix::fs::PermissionsExt as _;

use cyprob_secrets::adapters::vault::{SecretId, TokenFile, Vault, VaultDatabase};
use cyprob_secrets::ports::{DynamicCredentials as _, SecretProvider as _};
use cyprob_secrets::testkit::canary::{error_text, shows};
use cyprob_secrets::testkit::fault_proxy::Fault;
use serde_json::json;

use crate::listening::listening;
use crate::stand::Stand;

const MARKER: &str = "m4rk3r-0f-4-v4ult-s3cr3t-77d0";

#[tokio::test]
async fn sec_1_nothing_is_shown_by_logs_errors_or_debug() {
    let stand = Stand::new();
    let (log, _listening) = listening();
    let secret_id = stand.secret_id();
    let login = stand.app_role(SecretId::Given(secret_id.clone().into()));
    let mut texts = vec![format!("{login:?} {login:#?}")];
    let (proxy, vault) = stand.through(login).await;
    let kv = stand.kv(&vault);
    stand.put("a", json!({"x": MARKER, "n": 7, MARKER: "y"}));
    let path = format!("{}-v1/a", stand.name);
    stand
        .admin
        .make("POST", &path, json!({"x": MARKER, "n": [MARKER]}));
    let references = [
        stand.reference("a#x"),
        stand.reference("a#n"),
        stand.reference("a#none"),
        stand.reference("a#x?version=1"),
        stand.reference("a#x?version=9"),
        stand.plain_reference("a#x"),
        stand.plain_reference("a#n"),
    ];
    let echo = |code, body: &str| Fault::Status {
        code,
        body: body.replace('M', MARKER),
    };
    let faults = [
        None,
        Some(Fault::Truncate(60)),
        Some(Fault::Drop),
        Some(Fault::Reset),
        Some(Fault::Garbage),
        Some(echo(200, "{\"data\":{\"data\":\"M\"}}")),
        Some(echo(200, "{\"data\":{\"x\":{\"M\":1}},\"M\":M}")),
        Some(echo(200, "M")),
        Some(echo(400, "{\"errors\":[\"M\"]}")),
        Some(echo(403, "{\"errors\":[\"M\"]}")),
        Some(echo(500, "{\"errors\":[\"M\"]}")),
        Some(echo(503, "M")),
        Some(echo(307, "M")),
    ];
    for fault in faults {
        proxy.heal();
        if let Some(fault) = fault {
            proxy.inject_on(&format!("/v1/{}", stand.name), fault);
        }
        for reference in &references {
            match kv.read(reference).await {
                Ok(read) => texts.push(format!("{read:?} {read:#?}")),
                Err(error) => texts.push(error_text(&error)),
            }
        }
    }
    // credentials of a database, from one that answers what we say
    proxy.heal();
    let database = VaultDatabase::new(vault.clone(), "db".parse().unwrap(), "app".parse().unwrap());
    for body in [
        "{\"lease_id\":\"l\",\"lease_duration\":60,\"renewable\":true,\"data\":{\"username\":\"u\",\"password\":\"M\"}}",
        "{\"lease_id\":\"l\",\"lease_duration\":60,\"renewable\":true,\"data\":{\"username\":{\"M\":\"M\"},\"password\":\"M\"}}",
        "{\"lease_id\":\"l\",\"lease_duration\":\"M\",\"data\":{\"password\":[\"M\"]}}",
    ] {
        proxy.inject_on("/v1/db/", echo(200, body));
        match database.issue().await {
            Ok(lent) => texts.push(format!("{lent:?} {lent:#?}")),
            Err(error) => texts.push(format!("{error} {error:?}")),
        }
    }
    // logins that fail, and a token in a file that is not accepted
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, format!("{MARKER}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    proxy.heal();
    for body in [
        None,
        Some("{\"auth\":{\"client_token\":[\"M\"]}}"),
        Some("{\"errors\":[\"M\"]}"),
    ] {
        if let Some(body) = body {
            proxy.inject_on(
                "/v1/auth/",
                echo(if body.contains("auth") { 200 } else { 400 }, body),
            );
        }
        let at = || Vault::builder(proxy.url().parse().unwrap());
        for login in [
            at().login(TokenFile::new(&file)),
            at().login(stand.app_role(SecretId::Given(MARKER.into()))),
        ] {
            texts.push(format!("{login:?}"));
            let refused = stand.open(login).await.unwrap_err();
            let source = std::error::Error::source(&refused).map(|source| format!("{source:?}"));
            texts.push(format!("{refused} {refused:?} {source:?}"));
        }
    }
    texts.push(format!(
        "{vault:?} {kv:?} {database:?} {:?}",
        vault.standing()
    ));
    let token = stand.admin.ask("GET", "auth/token/lookup-self", None);
    assert_eq!(token.0, 200);
    let said = log.text();
    assert!(
        said.len() > 10_000 && said.contains("TRACE"),
        "{}",
        said.len()
    );
    for secret in [MARKER, secret_id.as_str()] {
        assert!(
            !shows(&said, secret),
            "a log shows a secret: {}",
            around(&said, secret)
        );
        for text in &texts {
            assert!(!shows(text, secret), "{}", around(text, secret));
        }
    }
    // tokens begin with s. or hvs.
    let token = said
        .split_whitespace()
        .find(|word| word.contains("hvs.") || word.contains("\"s."));
    assert_eq!(token, None);
    println!(
        "SEC-1: {} texts and {} bytes of log searched",
        texts.len(),
        said.len()
    );
}

fn around(text: &str, secret: &str) -> String {
    let at = text.find(secret).unwrap_or(0);
    text.get(at.saturating_sub(200)..at)
        .unwrap_or_default()
        .to_owned()
}
