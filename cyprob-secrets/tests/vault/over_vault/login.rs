//! Logging in, in each way, and what is refused.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cyprob_secrets::adapters::vault::{
    LoginRefusal, SecretId, TokenFile, Vault, VaultError, VaultRisk,
};
use cyprob_secrets::ports::Refusal;
use serde_json::json;

use crate::stand::{Stand, until, variable};

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn refusal(connected: Result<Vault, VaultError>) -> LoginRefusal {
    match connected {
        Err(VaultError::Login(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn risk(connected: Result<Vault, VaultError>) -> VaultRisk {
    match connected {
        Err(VaultError::Risk(risk)) => risk,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_role_logs_in_by_its_secret_id_and_not_by_another() {
    let stand = Stand::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret-id");
    let by_file = || stand.app_role(SecretId::in_file(&file));
    assert_eq!(
        refusal(stand.connect(by_file()).await),
        LoginRefusal::FileMissing
    );
    write(&file, &(stand.secret_id() + "\n"), 0o644);
    let open = LoginRefusal::File(Refusal::OpenMode);
    assert_eq!(refusal(stand.connect(by_file()).await), open);
    write(&file, "two lines\nof it", 0o600);
    assert_eq!(
        refusal(stand.connect(by_file()).await),
        LoginRefusal::NotAToken
    );
    write(&file, &(stand.secret_id() + "\n"), 0o600);
    assert!(stand.connect(by_file()).await.unwrap().standing().logged_in);
    let wrong = stand.app_role(SecretId::Given("0e8f2d04-wrong".into()));
    assert_eq!(
        refusal(stand.connect(wrong).await),
        LoginRefusal::NotAccepted
    );
}

#[tokio::test]
async fn a_wrapped_secret_id_is_taken_out_once_and_a_thief_is_noticed() {
    let stand = Stand::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wrapping-token");
    let by_file = || stand.app_role(SecretId::wrapped_in(&file));
    let wrap = |path: &str, body| {
        let token = variable("CYPROB_VAULT_TOKEN");
        let (_, answer) = stand
            .admin
            .ask_as(&token, "POST", path, Some(body), Some("5m"));
        answer["wrap_info"]["token"].as_str().unwrap().to_owned()
    };
    let secret_id = stand.role_path("/secret-id");

    let token = wrap(&secret_id, json!({}));
    write(&file, &token, 0o600);
    let vault = stand.connect(by_file()).await.unwrap();
    // it logs in again by what it took out
    vault.log_out().await.unwrap();
    stand.put("a", json!({"x": "y"}));
    assert_eq!(stand.said(&stand.kv(&vault), "a#x").await, "y v1");
    // another process finds nothing in it any more
    let taken = LoginRefusal::AlreadyUnwrapped;
    assert_eq!(refusal(stand.connect(by_file()).await), taken);

    // somebody who was faster
    let token = wrap(&secret_id, json!({}));
    write(&file, &token, 0o600);
    let (status, _) = stand
        .admin
        .ask_as(&token, "POST", "sys/wrapping/unwrap", None, None);
    assert_eq!(status, 200);
    assert_eq!(refusal(stand.connect(by_file()).await), taken);

    // somebody who put another in its place: it is not even taken out
    let foreign = wrap("sys/wrapping/wrap", json!({"secret_id": stand.secret_id()}));
    write(&file, &foreign, 0o600);
    assert_eq!(
        refusal(stand.connect(by_file()).await),
        LoginRefusal::ForeignWrapping
    );
    let (status, _) = stand
        .admin
        .ask_as(&foreign, "POST", "sys/wrapping/unwrap", None, None);
    assert_eq!(status, 200);

    // nor one whose place has the right name at its end, where anybody may write
    let root = variable("CYPROB_VAULT_TOKEN");
    let place = format!("{}-v1/{secret_id}", stand.name);
    let stolen = json!({"secret_id": stand.secret_id()});
    stand.admin.make("POST", &place, stolen);
    let (_, answer) = stand.admin.ask_as(&root, "GET", &place, None, Some("5m"));
    write(&file, answer["wrap_info"]["token"].as_str().unwrap(), 0o600);
    assert_eq!(
        refusal(stand.connect(by_file()).await),
        LoginRefusal::ForeignWrapping
    );

    // a new one is taken up by the connection that lives
    let token = wrap(&secret_id, json!({}));
    write(&file, &token, 0o600);
    vault.log_out().await.unwrap();
    assert_eq!(stand.said(&stand.kv(&vault), "a#x").await, "y v1");

    // the host is told of the alarm, and of its end
    let mut refusals = vault.refusals();
    assert_eq!(*refusals.borrow_and_update(), None);
    let token = wrap(&secret_id, json!({}));
    write(&file, &token, 0o600);
    stand
        .admin
        .ask_as(&token, "POST", "sys/wrapping/unwrap", None, None);
    vault.log_out().await.unwrap();
    assert_eq!(stand.said(&stand.kv(&vault), "a#x").await, "NoLogin");
    refusals.changed().await.unwrap();
    assert_eq!(*refusals.borrow_and_update(), Some(taken));
    write(&file, &wrap(&secret_id, json!({})), 0o600);
    until("it signs in", || async {
        stand.said(&stand.kv(&vault), "a#x").await == "y v1"
    })
    .await;
    refusals.changed().await.unwrap();
    assert_eq!(*refusals.borrow_and_update(), None);
}

#[tokio::test]
async fn a_token_file_is_taken_up_anew_when_its_token_is_dead() {
    let stand = Stand::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    let token = |more: serde_json::Value| {
        let mut body = json!({"policies": [stand.name], "ttl": "1h", "no_default_policy": false});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let answer = stand.admin.make("POST", "auth/token/create", body);
        answer["auth"]["client_token"].as_str().unwrap().to_owned()
    };
    let first = token(json!({}));
    write(&file, &format!("{first}\n"), 0o600);
    let vault = stand.connect(TokenFile::new(&file)).await.unwrap();
    let kv = stand.kv(&vault);
    stand.put("a", json!({"x": "y"}));
    assert_eq!(stand.said(&kv, "a#x").await, "y v1");
    stand
        .admin
        .make("POST", "auth/token/revoke", json!({"token": first}));
    assert_eq!(stand.said(&kv, "a#x").await, "NoLogin");
    write(&file, &token(json!({})), 0o600);
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    assert_eq!(stand.said(&kv, "a#x").await, "y v1");
}

#[tokio::test]
async fn tokens_that_may_too_much_or_live_too_long_are_refused() {
    let stand = Stand::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    let root = variable("CYPROB_VAULT_TOKEN");
    write(&file, &root, 0o600);
    let by_file = || stand.builder().login(TokenFile::new(&file));
    assert_eq!(risk(stand.open(by_file()).await), VaultRisk::RootToken);
    let accepting = by_file().dangerous().root_token().done();
    assert_eq!(risk(stand.open(accepting).await), VaultRisk::EndlessToken);
    let accepting = by_file().dangerous().root_token().endless_token().done();
    assert!(stand.open(accepting).await.unwrap().standing().logged_in);

    stand.role(json!({"token_ttl": "48h"}));
    let long = risk(stand.connect(stand.given()).await);
    assert!(matches!(long, VaultRisk::LongToken { .. }), "{long}");
    let days = std::time::Duration::from_secs(3 * 24 * 3_600);
    let given = || stand.builder().login(stand.given());
    let raised = risk(stand.open(given().longest_token(days)).await);
    assert!(matches!(raised, VaultRisk::LongToken { .. }), "{raised}");
    let accepting = given().dangerous().long_token(days).done();
    assert!(stand.open(accepting).await.is_ok());
}

#[tokio::test]
async fn a_certificate_is_verified_against_the_named_authority() {
    let stand = Stand::new();
    let tls = variable("CYPROB_VAULT_TLS");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    write(&file, "s.none", 0o600);
    let at = || Vault::builder(tls.parse().unwrap()).login(TokenFile::new(&file));
    let unknown = stand.open(at()).await.unwrap_err();
    let VaultError::Unavailable { source } = &unknown else {
        panic!("{unknown:?}")
    };
    assert!(source.to_string().contains("certificate"), "{source}");
    // with it, the connection stands, and this token is not accepted
    let known = at().ca_file(variable("CYPROB_VAULT_CA"));
    assert_eq!(refusal(stand.open(known).await), LoginRefusal::NotAccepted);
    for (file, text) in [
        ("none.pem", None),
        ("empty.pem", Some("")),
        ("junk.pem", Some("junk")),
    ] {
        let path = dir.path().join(file);
        if let Some(text) = text {
            write(&path, text, 0o644);
        }
        let refused = stand.open(at().ca_file(&path)).await.unwrap_err();
        assert!(
            matches!(refused, VaultError::Certificates(_)),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn who_leaves_in_the_middle_of_a_login_loses_no_secret_id() {
    use cyprob_secrets::testkit::fault_proxy::Fault;
    use std::time::Duration;
    let stand = Stand::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wrapping-token");
    let secret_id = stand.role_path("/secret-id");
    let deliver = || {
        let root = variable("CYPROB_VAULT_TOKEN");
        let (_, answer) =
            stand
                .admin
                .ask_as(&root, "POST", &secret_id, Some(json!({})), Some("5m"));
        write(&file, answer["wrap_info"]["token"].as_str().unwrap(), 0o600);
    };
    deliver();
    let (proxy, vault) = stand
        .through(stand.app_role(SecretId::wrapped_in(&file)))
        .await;
    let kv = stand.kv(&vault);
    stand.put("a", json!({"x": "y"}));
    vault.log_out().await.unwrap();
    deliver();
    // the answer to the unwrapping is on its way when the only reader leaves
    proxy.inject_on(
        "/v1/sys/wrapping/unwrap",
        Fault::Delay(Duration::from_millis(200)),
    );
    let leaving = tokio::time::timeout(Duration::from_millis(100), stand.said(&kv, "a#x")).await;
    assert!(leaving.is_err());
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(stand.said(&kv, "a#x").await, "y v1");
    assert_eq!(proxy.requests_to("/v1/sys/wrapping/unwrap"), 2);
}
