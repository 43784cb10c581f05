//! Keys that sign tokens, rotated and revoked while a server runs.
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
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cyprob::authz::domain::{KEY_LEAD, KeyPurpose};
use cyprob::core::adapters::system::SystemClock;
use cyprob::core::domain::Caller;
use cyprob::core::ports::Clock as _;
use serde_json::{Value, json};
use support::database::block_on;
use support::server::CYPROB;
use support::world::{PASSWORD, found, login};
use support::{Client, Server};

/// How long a server takes to read a plan, and a little.
const READ: Duration = Duration::from_secs(12);
const ROOT: &str = "root@example.com";

/// A server with its administrator.
fn founded(data: &Path) -> Server {
    let server = Server::start_with(data, "access_ttl_seconds = 900\n");
    found(&server, ROOT);
    server
}

fn sign_in(client: &Client) -> Value {
    login(client, ROOT, PASSWORD, None).expect(200).json()
}

fn text(pair: &Value, name: &str) -> String {
    pair[name].as_str().unwrap().to_owned()
}

fn refresh(client: &Client, pair: &Value) -> Value {
    let body = json!({ "refresh_token": pair["refresh_token"] });
    let answer = client.call("POST", "/api/v1/auth/refresh", None, Some(&body));
    answer.expect(200).json()
}

/// The published keys of people's tokens: ids with their statuses.
fn published(client: &Client) -> Vec<(u64, String)> {
    let answer = client.call("GET", "/.well-known/cyprob", None, None);
    let keys = answer.expect(200).json()["token_keys"].clone();
    let key = |key: &Value| (key["id"].as_u64().unwrap(), text(key, "status"));
    keys.as_array().unwrap().iter().map(key).collect()
}

#[track_caller]
fn becomes(client: &Client, keys: &[(u64, &str)]) {
    let begun = Instant::now();
    let wanted: Vec<_> = keys
        .iter()
        .map(|(id, is)| (*id, (*is).to_owned()))
        .collect();
    while published(client) != wanted {
        let told = published(client);
        assert!(begun.elapsed() < READ, "{told:?} is not {wanted:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Rotates as the command line does, by a clock that is behind, so that the new key signs soon.
fn rotate_to_sign_in(data: &Path, after: Duration) {
    let keys = cyprob::token_keys(data, &data.join("master-key")).unwrap();
    let at = SystemClock.now().before(KEY_LEAD).after(after);
    let operator = Caller::operator();
    block_on(keys.rotate(KeyPurpose::User, &operator, at)).unwrap();
}

fn keys(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(CYPROB);
    command.args(["admin", "keys"]).args(arguments);
    command.arg("--data").arg(data).output().unwrap()
}

#[track_caller]
fn keys_json(data: &Path, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--format", "json"]].concat();
    let output = keys(data, &arguments);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What the system log says of token keys, each with the kind of its actor; whatever else it holds.
fn events(client: &Client, token: &str) -> Vec<(String, String, String)> {
    let mut events = Vec::new();
    for action in ["token_key.rotated", "token_key.revoked"] {
        let path = format!("/api/v1/system/audit?limit=100&action={action}");
        let answer = client.get(&path, token).expect(200).json();
        for item in answer["items"].as_array().unwrap() {
            let actor = text(&item["actor"], "kind");
            events.push((text(item, "action"), text(&item["resource"], "id"), actor));
        }
    }
    events.sort();
    events
}

#[test]
fn no_request_fails_while_the_key_is_rotated() {
    let home = tempfile::tempdir().unwrap();
    let server = founded(&home.path().join("data"));
    let client = server.client();
    assert_eq!(published(&client), [(1, "active".to_owned())]);
    let old = text(&sign_in(&client), "access_token");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut pair = sign_in(&client);
                let mut asked = 0_u32;
                while !over.load(Ordering::SeqCst) {
                    for _ in 0..20 {
                        let token = text(&pair, "access_token");
                        client.get("/api/v1/me", &token).expect(200);
                        client.get("/api/v1/me", &old).expect(200);
                        asked += 2;
                    }
                    pair = refresh(&client, &pair);
                }
                assert!(asked > 100);
            });
        }
        rotate_to_sign_in(&server.data, Duration::from_secs(9));
        becomes(&client, &[(1, "active"), (2, "verify-only")]);
        std::thread::sleep(Duration::from_secs(6));
        becomes(&client, &[(1, "verify-only"), (2, "active")]);
        std::thread::sleep(Duration::from_secs(2));
        over.store(true, Ordering::SeqCst);
    });
    // What is signed now is of the new key: it outlives the old one.
    let new = text(&sign_in(&client), "access_token");
    let root = text(&sign_in(&client), "access_token");
    let body = json!({ "ring": "user", "id": 1 });
    let revoked = client.post("/api/v1/system/keys/revoke", &root, &body);
    assert_eq!(revoked.expect(200).json()["status"], "revoked");
    client.get("/api/v1/me", &old).expect(401);
    client.get("/api/v1/me", &new).expect(200);
    assert_eq!(
        events(&client, &root),
        [
            ("token_key.revoked", "user/1", "user"),
            ("token_key.rotated", "user/2", "operator"),
        ]
        .map(|(action, key, actor)| (action.to_owned(), key.to_owned(), actor.to_owned()))
    );
}

#[test]
fn a_revoked_key_ends_its_tokens_at_once_and_sessions_go_on() {
    let home = tempfile::tempdir().unwrap();
    let server = founded(&home.path().join("data"));
    let client = server.client();
    let pair = sign_in(&client);
    let token = text(&pair, "access_token");
    client.get("/api/v1/me", &token).expect(200);
    let unknown = json!({ "ring": "user", "id": 9 });
    let revoke = "/api/v1/system/keys/revoke";
    client.post(revoke, &token, &unknown).expect(404);
    let no_ring = json!({ "ring": "users", "id": 1 });
    client.post(revoke, &token, &no_ring).expect(422);
    let body = json!({ "ring": "user", "id": 1 });
    client.post(revoke, &token, &body).expect(200);
    let refused = client.get("/api/v1/me", &token).expect(401);
    assert_eq!(refused.code(), "invalid_token");
    let pair = refresh(&client, &pair);
    let token = text(&pair, "access_token");
    client.get("/api/v1/me", &token).expect(200);
    becomes(&client, &[(1, "revoked"), (2, "active")]);
    // Rotating twice is refused while the first key waits.
    let ring = json!({ "ring": "user" });
    let rotate = "/api/v1/system/keys/rotate";
    let rotated = client.post(rotate, &token, &ring).expect(200).json();
    assert_eq!(rotated["id"], 3);
    assert_eq!(rotated["status"], "verify-only");
    let again = client.post(rotate, &token, &ring).expect(409);
    assert_eq!(again.code(), "conflict");
    let listed = client.get("/api/v1/system/keys?limit=100", &token);
    let listed = listed.expect(200).json()["items"].clone();
    let ids = |ring: &str| {
        let keys = listed.as_array().unwrap().iter();
        let of = keys.filter(|key| key["ring"] == ring);
        of.map(|key| key["id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("user"), [1, 2, 3]);
    assert_eq!(ids("service"), [1]);
    assert_eq!(ids("worker"), [1]);
}

#[test]
fn the_command_line_changes_the_keys_beside_a_server_that_runs() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    assert!(!keys(&data, &["list"]).status.success());
    assert!(!data.exists(), "looking makes no deployment");
    let server = founded(&data);
    let client = server.client();
    let pair = sign_in(&client);
    let listed = keys_json(&data, &["list"]);
    assert_eq!(listed["keys"].as_array().unwrap().len(), 3);
    let rotated = keys_json(&data, &["rotate", "--ring", "user"]);
    assert_eq!(rotated["keys"][1]["status"], "verify-only");
    assert!(rotated["keys"][0]["not_after"].is_string());
    becomes(&client, &[(1, "active"), (2, "verify-only")]);
    let again = keys(&data, &["rotate", "--ring", "user"]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains("key 2 is published"), "{told}");
    // The key that signs ends, and the one that was published signs.
    let revoked = keys(&data, &["revoke", "--ring", "user", "--id", "1"]);
    let told = String::from_utf8(revoked.stdout).unwrap();
    assert!(told.contains("user 1 revoked ed25519/"), "{told}");
    assert!(told.contains("user 2 active ed25519/"), "{told}");
    becomes(&client, &[(1, "revoked"), (2, "active")]);
    let token = text(&pair, "access_token");
    client.get("/api/v1/me", &token).expect(401);
    let token = text(&refresh(&client, &pair), "access_token");
    client.get("/api/v1/me", &token).expect(200);
    assert_eq!(events(&client, &token).len(), 2);
    // A server that starts later takes it up, and records what was done meanwhile.
    assert!(server.interrupt().success());
    keys_json(&data, &["rotate", "--ring", "service"]);
    let server = Server::start_with(&data, "access_ttl_seconds = 900\n");
    let client = server.client();
    client.get("/api/v1/me", &token).expect(200);
    let begun = Instant::now();
    while events(&client, &token).len() < 3 {
        assert!(begun.elapsed() < READ, "it is not recorded");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_deployment_from_before_goes_on_with_its_key() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = founded(&data);
    let client = server.client();
    let before = client.call("GET", "/.well-known/cyprob", None, None).json();
    let pair = sign_in(&client);
    assert!(server.interrupt().success());
    // It had one key for each ring and no plan.
    let mut plans = 0;
    for file in std::fs::read_dir(data.join("secrets")).unwrap() {
        let file = file.unwrap();
        if file.file_name().to_str().unwrap().contains("-plan@") {
            std::fs::remove_file(file.path()).unwrap();
            plans += 1;
        }
    }
    assert_eq!(plans, 6, "a plan and its list, for each ring");
    let server = Server::start_with(&data, "access_ttl_seconds = 900\n");
    let client = server.client();
    let token = text(&pair, "access_token");
    client.get("/api/v1/me", &token).expect(200);
    refresh(&client, &pair);
    let after = client.call("GET", "/.well-known/cyprob", None, None).json();
    assert_eq!(after["token_keys"], before["token_keys"]);
}
