//! Failed sign-ins over HTTP: what a stranger sees, and what a known client does not.
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

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use support::client::{Answer, Client};
use support::server::Server;
use support::world::{PASSWORD, found, login};

const ROOT: &str = "root@example.com";
const WRONG: &str = "not the pass phrase at all";

fn server(home: &tempfile::TempDir) -> Server {
    let server = Server::start(&home.path().join("data"));
    if server.data.join("bootstrap-token").exists() {
        found(&server, ROOT);
    }
    server
}

fn with_device(client: &Client, device: &Value) -> Answer {
    let body = json!({ "email": ROOT, "password": PASSWORD, "device_token": device });
    client.call("POST", "/api/v1/auth/login", None, Some(&body))
}

/// All that an answer says, but for what is the request's own.
fn said(answer: &Answer) -> (u16, BTreeSet<(String, String)>, Value) {
    let own = ["date", "x-request-id", "retry-after"];
    let headers = answer.headers.iter().cloned();
    let mut body = answer.json();
    body["request_id"] = Value::Null;
    (
        answer.status,
        headers
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .collect(),
        body,
    )
}

/// Fails four times at each name: the next attempt has to wait for ten seconds.
fn fail(client: &Client, names: &[&str]) -> Vec<Answer> {
    let mut last = Vec::new();
    for step in [0, 1, 3, 5] {
        std::thread::sleep(Duration::from_secs(step));
        let wrong = names.iter().map(|name| login(client, name, WRONG, None));
        last = wrong.map(|answer| answer.expect(401)).collect();
    }
    last
}

#[test]
fn asvs_6_3_1_an_early_attempt_is_429_with_the_seconds_left() {
    let home = tempfile::tempdir().unwrap();
    let server = server(&home);
    let client = server.client();
    let names = [ROOT, "nobody@example.com", "no address at all"];
    let wrong = fail(&client, &names);
    let mut early = Vec::new();
    for name in names {
        let answer = login(&client, name, PASSWORD, None).expect(429);
        assert_eq!(answer.code(), "slow_down");
        let left: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=10).contains(&left), "{left}");
        early.push(answer);
    }
    // asvs_6_3_8: nothing tells an account that exists from one that does not.
    for answers in [wrong, early] {
        let said: Vec<_> = answers.iter().map(said).collect();
        assert!(said.iter().all(|one| *one == said[0]), "{said:#?}");
    }
    std::thread::sleep(Duration::from_secs(10));
    login(&client, ROOT, PASSWORD, None).expect(200);
}

#[test]
fn asvs_6_3_1_no_header_makes_another_client() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = Server::start_with(&data, "failures_per_minute_per_address = 1\n");
    let client = server.client();
    let mut statuses = std::collections::BTreeMap::new();
    for number in 0..90 {
        let body = json!({ "email": format!("p{number}@example.com"), "password": WRONG });
        let (ip, forwarded) = (format!("10.0.0.{number}"), format!("for=10.1.0.{number}"));
        let headers = [
            ("content-type", "application/json"),
            ("x-forwarded-for", ip.as_str()),
            ("x-real-ip", ip.as_str()),
            ("true-client-ip", ip.as_str()),
            ("cf-connecting-ip", ip.as_str()),
            ("forwarded", forwarded.as_str()),
        ];
        let body = body.to_string();
        let answer = client.send(
            "POST",
            "/api/v1/auth/login",
            &headers,
            Some(body.as_bytes()),
        );
        *statuses.entry(answer.status).or_insert(0) += 1;
    }
    println!("{statuses:?}");
    // 60 at once, and perhaps one more for each minute that it took.
    assert!((60..=63).contains(&statuses[&401]), "{statuses:?}");
    assert_eq!(statuses[&401] + statuses[&429], 90, "{statuses:?}");
}

#[test]
fn behind_a_declared_proxy_the_last_address_is_the_client() {
    let home = tempfile::tempdir().unwrap();
    let config = "client_address_header = \"x-forwarded-for\"\nfailures_at_once_per_address = 5\n\
                  failures_per_minute_per_address = 1\n";
    let server = Server::start_with(&home.path().join("data"), config);
    let client = server.client();
    let status = |number: u32, forwarded: &str| {
        let body = json!({ "email": format!("q{number}@example.com"), "password": WRONG });
        let headers = [
            ("content-type", "application/json"),
            ("x-forwarded-for", forwarded),
        ];
        let body = body.to_string();
        let path = "/api/v1/auth/login";
        client
            .send("POST", path, &headers, Some(body.as_bytes()))
            .status
    };
    for number in 0..20 {
        // What the client itself has written stands before.
        let spoofed = format!("10.9.{number}.1, 203.0.113.9");
        assert_eq!(status(number, &spoofed), if number < 5 { 401 } else { 429 });
    }
    assert_eq!(status(100, "198.51.100.1"), 401);
    assert_eq!(status(101, "203.0.113.9, 198.51.100.1"), 401);
}

#[test]
fn a_known_client_is_let_in_beside_strangers_and_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let first = server(&home);
    let client = first.client();
    let known = login(&client, ROOT, PASSWORD, None).expect(200).json();
    let device = known["device_token"].clone();
    assert!(device.as_str().unwrap().starts_with("cyd1_"));
    fail(&client, &[ROOT]);
    login(&client, ROOT, PASSWORD, None).expect(429);
    with_device(&client, &device).expect(200);
    fail(&client, &[ROOT]);
    assert!(first.interrupt().success());
    // The orderly end told the store: another failure is the fifth and not the first.
    let second = server(&home);
    let client = second.client();
    std::thread::sleep(Duration::from_secs(10));
    login(&client, ROOT, WRONG, None).expect(401);
    let early = login(&client, ROOT, PASSWORD, None).expect(429);
    let left: u32 = early.header("retry-after").unwrap().parse().unwrap();
    assert!(left > 5, "{left}");
    with_device(&client, &device).expect(200);
    // That has lifted it.
    login(&client, ROOT, PASSWORD, None).expect(200);
    // A refresh gives no device token: the client has one.
    let refresh = json!({ "refresh_token": known["refresh_token"] });
    let pair = client
        .call("POST", "/api/v1/auth/refresh", None, Some(&refresh))
        .expect(200);
    assert_eq!(pair.json()["device_token"], Value::Null);
}

#[test]
fn a_device_token_that_is_none_is_as_good_as_no_token() {
    let home = tempfile::tempdir().unwrap();
    let server = server(&home);
    let client = server.client();
    let long = "x".repeat(100_000);
    for text in ["", "cyd1_", "cyd1_1.a.b.c.d.e", "\u{0}", long.as_str()] {
        let answer = with_device(&client, &json!(text)).expect(200);
        assert!(answer.json()["device_token"].is_string());
    }
    with_device(&client, &Value::Null).expect(200);
    let wrong = with_device(&client, &json!(7)).expect(422);
    assert_eq!(wrong.code(), "invalid_field");
}
