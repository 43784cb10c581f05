//! Second factors and step-up from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use support::server::CYPROB;
use support::world::{PASSWORD, found, login_with};
use support::{Answer, Client, Server, World, factor};

const ROOT: &str = "root@example.com";

/// An answer for which one waits as long as it says, if it says so.
fn patiently(ask: impl Fn() -> Answer) -> Answer {
    loop {
        let answer = ask();
        if answer.status != 429 {
            return answer;
        }
        let seconds = answer.header("retry-after").unwrap().parse().unwrap();
        std::thread::sleep(Duration::from_secs(seconds));
    }
}

fn login(client: &Client, email: &str, password: &str, org: Option<&str>) -> Answer {
    patiently(|| login_with(client, email, password, org, None))
}

fn token(answer: &Answer) -> String {
    let json = answer.json();
    json["access_token"].as_str().unwrap().to_owned()
}

fn signed_in(client: &Client) -> String {
    token(&login(client, ROOT, PASSWORD, None).expect(200))
}

fn with_code(client: &Client, code: &str) -> Answer {
    patiently(|| login_with(client, ROOT, PASSWORD, None, Some(code)))
}

#[track_caller]
fn refused(answer: Answer, status: u16, code: &str) {
    assert_eq!(answer.expect(status).code(), code);
}

#[test]
fn a_factor_is_set_up_shown_replaced_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"));
    found(&server, ROOT);
    let client = server.client();
    let (mine, other) = (signed_in(&client), signed_in(&client));
    let none = client.get("/api/v1/me/totp", &mine).expect(200).json();
    assert_eq!(
        none,
        json!({ "active": false, "activated_at": null, "recovery_codes_left": 0 })
    );
    let begun = client
        .post("/api/v1/me/totp", &mine, &json!({}))
        .expect(201)
        .json();
    let (secret, uri) = (
        begun["secret"].as_str().unwrap(),
        begun["otpauth_uri"].as_str().unwrap(),
    );
    assert!(uri.starts_with("otpauth://totp/cyprob:root%40example.com?secret="));
    assert!(uri.contains(secret));
    let confirm = |token: &str, code: &str| {
        let body = json!({ "code": code });
        client.post("/api/v1/me/totp/confirm?reissue=true", token, &body)
    };
    // Another session confirms nothing, and a wrong code neither.
    refused(confirm(&other, &factor::code(secret)), 409, "conflict");
    refused(confirm(&mine, "nonsense"), 422, "invalid_field");
    login(&client, ROOT, PASSWORD, None).expect(200);
    // A wrong code is followed by a wait.
    std::thread::sleep(Duration::from_secs(1));
    let set = factor::set_up(&client, &mine);
    for dead in [&mine, &other] {
        refused(client.get("/api/v1/me", dead), 401, "invalid_token");
    }
    let me = client.get("/api/v1/me", &set.token).expect(200).json();
    assert_eq!(me["aal"], 2);

    // A right password without the factor, with a used code, with a wrong one: one answer.
    let bare = login(&client, ROOT, PASSWORD, None).expect(401);
    assert_eq!(bare.header("www-authenticate"), Some("Bearer"));
    let text = |answer: &Answer| {
        let mut json = answer.json();
        json["request_id"] = Value::Null;
        json
    };
    for code in [factor::code(&set.secret).as_str(), "000000", "x"] {
        let answer = with_code(&client, code).expect(401);
        assert_eq!(text(&answer), text(&bare), "{code}");
    }
    assert_eq!(bare.code(), "mfa_required");
    refused(
        login_with(
            &client,
            ROOT,
            "not the password at all",
            None,
            Some(&set.codes[0]),
        ),
        401,
        "invalid_credentials",
    );
    let next = factor::code_in(&set.secret, 1);
    with_code(&client, &next).expect(200);
    refused(with_code(&client, &next), 401, "mfa_required");
    let mine = token(&with_code(&client, &set.codes[0]).expect(200));
    refused(with_code(&client, &set.codes[0]), 401, "mfa_required");
    let left = client.get("/api/v1/me/totp", &mine).expect(200).json();
    assert_eq!(left["recovery_codes_left"], 9);

    // Another factor only by showing this one; new codes void the old.
    refused(
        client.post("/api/v1/me/totp", &mine, &json!({})),
        401,
        "mfa_required",
    );
    let fresh = client
        .call("POST", "/api/v1/me/totp/recovery-codes", Some(&mine), None)
        .expect(200)
        .json();
    let fresh: Vec<&str> = fresh["recovery_codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap())
        .collect();
    refused(with_code(&client, &set.codes[1]), 401, "mfa_required");
    let remove = |password: &str, code: &str| {
        let body = json!({ "password": password, "totp": code });
        patiently(|| client.call("DELETE", "/api/v1/me/totp", Some(&mine), Some(&body)))
    };
    refused(remove(PASSWORD, "000000"), 401, "mfa_required");
    refused(
        remove("not the password at all", fresh[0]),
        401,
        "invalid_credentials",
    );
    remove(PASSWORD, fresh[0]).expect(204);
    refused(client.get("/api/v1/me", &mine), 401, "invalid_token");
    login(&client, ROOT, PASSWORD, None).expect(200);
    assert!(server.interrupt().success());
}

#[test]
fn a_step_up_gives_new_tokens_and_takes_the_factor_of_who_has_one() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"));
    found(&server, ROOT);
    let client = server.client();
    let step_up =
        |token: &str, body: &Value| patiently(|| client.post("/api/v1/auth/step-up", token, body));
    let mine = signed_in(&client);
    refused(step_up(&mine, &json!({})), 422, "invalid_field");
    let wrong = json!({ "password": "not the password at all" });
    refused(step_up(&mine, &wrong), 401, "invalid_credentials");
    let before = client.get("/api/v1/me", &mine).expect(200).json();
    let stepped = step_up(&mine, &json!({ "password": PASSWORD })).expect(200);
    assert_eq!(stepped.header("cache-control"), Some("no-store"));
    let after = client
        .get("/api/v1/me", &token(&stepped))
        .expect(200)
        .json();
    assert_eq!(after["session_id"], before["session_id"]);
    assert_eq!(after["org"], before["org"]);
    assert!(after["auth_time"].as_str() >= before["auth_time"].as_str());

    let set = factor::set_up(&client, &token(&stepped));
    refused(
        step_up(&set.token, &json!({ "password": PASSWORD })),
        401,
        "mfa_required",
    );
    let code = json!({ "totp": factor::code_in(&set.secret, 1) });
    step_up(&set.token, &code).expect(200);
    refused(step_up(&set.token, &code), 401, "mfa_required");
    step_up(&set.token, &json!({ "totp": set.codes[0] })).expect(200);
    // What asks for a fresh sign-in says so in the inventory.
    let output = Command::new(CYPROB)
        .args(["routes", "--format", "json"])
        .output();
    let printed: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let asks: Vec<_> = printed["routes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|route| route["step_up"] == true && route["policy"] == "authenticated")
        .map(|route| {
            format!(
                "{} {}",
                route["method"].as_str().unwrap(),
                route["path"].as_str().unwrap()
            )
        })
        .collect();
    // Which takes the factor of who has one, as above; a thief of an old session has neither.
    for route in [
        "POST /api/v1/me/email",
        "POST /api/v1/me/totp",
        "POST /api/v1/me/totp/recovery-codes",
    ] {
        assert!(asks.iter().any(|asks| asks == route), "{asks:?}");
    }
}

#[test]
fn an_organization_lets_in_who_has_shown_a_second_factor() {
    let mut world = World::new("");
    let client = world.client.clone();
    let org = "/api/v1/orgs/acme";
    let required = |on: bool| json!({ "policy": { "factor_required": on } });
    let patch = |token: &str, body: &Value| client.call("PATCH", org, Some(token), Some(body));
    let owner = world.member("acme", "owner").clone();
    refused(patch(&owner.token, &required(true)), 401, "factor_required");
    refused(
        patch(&world.member("acme", "viewer").token, &required(true)),
        403,
        "forbidden",
    );
    let policy = client.get(org, &owner.token).expect(200).json();
    assert_eq!(policy["policy"]["factor_required"], false);

    let set = factor::set_up(&client, &owner.token);
    let in_acme = client
        .call("POST", &format!("{org}/token"), Some(&set.token), None)
        .expect(200);
    let in_acme = token(&in_acme);
    let viewer = world.members.get_mut(&("acme", "viewer")).unwrap();
    client.get(org, &viewer.token).expect(200);
    let bare = token(&login(&client, &viewer.email, PASSWORD, Some("acme")).expect(200));
    patch(&in_acme, &required(true)).expect(200);

    // At once, for every token of a session that has shown none.
    for dead in [&viewer.token, &bare] {
        refused(client.get(org, dead), 401, "invalid_token");
    }
    client.get(org, &in_acme).expect(200);
    let named = login(&client, &viewer.email, PASSWORD, Some("acme")).expect(401);
    assert_eq!(named.code(), "factor_required");
    assert!(named.text().contains("/api/v1/me/totp"), "the remedy");
    let unnamed = login(&client, &viewer.email, PASSWORD, None).expect(200);
    assert_eq!(unnamed.json()["org"], Value::Null);
    let path = format!("{org}/token");
    let asked = client.call("POST", &path, Some(&token(&unnamed)), None);
    refused(asked, 401, "factor_required");

    // Signed in to no organization the person sets a factor up, and is let in with it.
    let set = factor::set_up(&client, &token(&unnamed));
    let asked = client.call("POST", &path, Some(&set.token), None);
    let let_in = token(&asked.expect(200));
    client.get(org, &let_in).expect(200);
    let keep = json!({ "password": PASSWORD, "totp": set.codes[0] });
    let kept = client.call("DELETE", "/api/v1/me/totp", Some(&set.token), Some(&keep));
    refused(kept, 409, "conflict");

    // The administrator takes a lost factor away; the person is out until there is a new one.
    let reset = format!("/api/v1/system/users/{}/factor/reset", viewer.id);
    let root = world.administrator.token.clone();
    client.call("POST", &reset, Some(&root), None).expect(204);
    refused(client.get(org, &let_in), 401, "invalid_token");
    refused(
        client.call("POST", &reset, Some(&root), None),
        404,
        "not_found",
    );
    let again = login(&client, &viewer.email, PASSWORD, None).expect(200);
    assert_eq!(again.json()["org"], Value::Null);
    patch(&in_acme, &required(false)).expect(200);
    login(&client, &viewer.email, PASSWORD, Some("acme")).expect(200);
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn asvs_6_5_3_no_secret_of_a_factor_lies_in_a_file() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"));
    found(&server, ROOT);
    let client = server.client();
    let set = factor::set_up(&client, &signed_in(&client));
    let again = factor::begin_with(&client, &set.token, &set.codes[0]);
    with_code(&client, &set.codes[1]).expect(200);
    with_code(&client, "000000").expect(401);
    let data = server.data.clone();
    assert!(server.interrupt().success());
    let mut needles: Vec<Vec<u8>> = set
        .codes
        .iter()
        .map(|code| code.clone().into_bytes())
        .collect();
    needles.extend(
        set.codes
            .iter()
            .map(|code| code.replace('-', "").into_bytes()),
    );
    for secret in [&set.secret, &again] {
        needles.push(secret.clone().into_bytes());
        needles.push(factor::bytes(secret).to_vec());
    }
    let all = files(&data);
    assert!(
        all.iter().any(|file| file.len() > 4_096),
        "there is a database"
    );
    for file in &all {
        for needle in &needles {
            let shows = file
                .windows(needle.len())
                .any(|part| part == needle.as_slice());
            assert!(!shows, "a secret lies in a file");
        }
    }
}
