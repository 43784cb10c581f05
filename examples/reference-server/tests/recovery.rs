//! Forgotten passwords, changed addresses, switched-off accounts and mass sign-out, over HTTP.
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

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::World;
use support::world::{PASSWORD, login};

const NEW: &str = "another pass phrase, also long";
/// How long the next attempt waits after one that failed.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);
const RESET: &str = "/api/v1/auth/password-reset";
const CONFIRM: &str = "/api/v1/auth/email-change/confirm";

fn ask(world: &World, email: &str) -> support::Answer {
    let body = json!({ "email": email });
    world.client.call("POST", RESET, None, Some(&body))
}

fn reset(world: &World, token: &str, password: &str) -> support::Answer {
    let body = json!({ "token": token, "password": password });
    let path = format!("{RESET}/confirm");
    world.client.call("POST", &path, None, Some(&body))
}

fn with_token(world: &World, path: &str, token: &str) -> support::Answer {
    let body = json!({ "token": token });
    world.client.call("POST", path, None, Some(&body))
}

fn status_of_me(world: &World, token: &str) -> u16 {
    world.client.get("/api/v1/me", token).status
}

/// Somebody new in globex, whose address is verified by mail.
fn verified(world: &World) -> support::world::Account {
    let owner = world.member("globex", "owner").token.clone();
    let somebody = world.new_member("globex", "viewer", &owner);
    let path = "/api/v1/me/email/verify";
    world
        .client
        .call("POST", path, Some(&somebody.token), None)
        .expect(202);
    let token = world.mailed("email_confirmation", &somebody.email);
    with_token(world, CONFIRM, &token).expect(204);
    somebody
}

/// The files below a directory that hold some bytes.
fn holding(directory: &std::path::Path, needle: &[u8]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, needle));
        } else if std::fs::read(&path)
            .unwrap()
            .windows(needle.len())
            .any(|window| window == needle)
        {
            found.push(path);
        }
    }
    found
}

fn names(answer: &support::Answer) -> Vec<(String, String)> {
    let own = |name: &str| ["x-request-id", "date"].contains(&name);
    let headers = answer.headers.iter().filter(|(name, _)| !own(name));
    headers.cloned().collect()
}

#[test]
fn asvs_6_3_8_an_answer_does_not_tell_whether_an_account_exists() {
    // Each request from another network: the limiter, which knows no account, is not what is asked about.
    let world = World::new("client_address_header = \"x-forwarded-for\"\n");
    let mut networks = 0_u16;
    let known = verified(&world);
    let unverified = world.member("acme", "viewer").email.clone();
    let disabled = verified(&world);
    let root = world.administrator.token.clone();
    let path = format!("/api/v1/system/users/{}/disable", disabled.id);
    world
        .client
        .post(&path, &root, &json!({ "reason": "gone" }))
        .expect(204);
    let emails = [
        known.email.as_str(),
        unverified.as_str(),
        disabled.email.as_str(),
        "nobody@example.com",
    ];
    // What is no address is none of anybody's.
    assert_eq!(
        ask(&world, "no address at all").expect(422).code(),
        "invalid_field"
    );
    let mut seen = None;
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); emails.len()];
    for round in 0..60 {
        // Each kind stands in each place of a round equally often.
        for place in 0..emails.len() {
            let kind = (round + place) % emails.len();
            let (email, times) = (&emails[kind], &mut times[kind]);
            networks += 1;
            let [high, low] = networks.to_be_bytes();
            let from = format!("10.{high}.{low}.1");
            let headers = [
                ("content-type", "application/json"),
                ("x-forwarded-for", from.as_str()),
            ];
            let body = json!({ "email": email }).to_string();
            let begun = Instant::now();
            let answer = world
                .client
                .send("POST", RESET, &headers, Some(body.as_bytes()))
                .expect(202);
            times.push(begun.elapsed());
            let told = (names(&answer), answer.text());
            assert_eq!(seen.get_or_insert_with(|| told.clone()), &told, "{email}");
        }
    }
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort();
            times[times.len() / 2].as_secs_f64() * 1e3
        })
        .collect();
    println!("medians in ms by kind of address: {medians:?}");
    let (least, most) = medians
        .iter()
        .fold((f64::MAX, 0.0_f64), |(least, most), it| {
            (least.min(*it), most.max(*it))
        });
    // What is left is the noise of the machine; a password hash alone takes over 15 ms, and as
    // many times longer as the machine is loaded.
    assert!(most - least < (least / 2.0).max(5.0), "{medians:?}");
    // One mail in a minute for the one account that may reset, and none for the others.
    world.mailed("password_reset", &known.email);
    let resets = |mail: &&Value| mail["kind"] == "password_reset";
    let sent: Vec<Value> = world.mails().iter().filter(resets).cloned().collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["to"], known.email.as_str());
}

#[test]
fn asvs_6_4_3_a_reset_ends_every_session_and_is_good_once() {
    let world = World::new("");
    let somebody = verified(&world);
    ask(&world, &somebody.email).expect(202);
    let token = world.mailed("password_reset", &somebody.email);
    assert_eq!(status_of_me(&world, &somebody.token), 200);
    for bad in ["", "x", "cypw_x", &token[..token.len() - 1]] {
        assert_eq!(reset(&world, bad, NEW).expect(401).code(), "invalid_grant");
    }
    // The token rests nowhere: not in the database, not in the logs. The address does.
    let none: Vec<std::path::PathBuf> = Vec::new();
    assert_eq!(holding(&world.server.data, token.as_bytes()), none);
    assert_ne!(holding(&world.server.data, somebody.email.as_bytes()), none);
    let weak = reset(&world, &token, "short").expect(422);
    assert_eq!(weak.code(), "weak_password");
    reset(&world, &token, NEW).expect(204);
    assert_eq!(status_of_me(&world, &somebody.token), 401);
    let again = reset(&world, &token, PASSWORD).expect(401);
    assert_eq!(again.code(), "invalid_grant");
    login(&world.client, &somebody.email, PASSWORD, None).expect(401);
    std::thread::sleep(AFTER_A_FAILURE);
    login(&world.client, &somebody.email, NEW, None).expect(200);
    world.mailed_plain("password_changed", &somebody.email);
    let mode = std::fs::metadata(&world.messages).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[test]
fn asvs_6_3_7_an_address_changes_by_mail_and_changes_back_by_objection() {
    let world = World::new("");
    let somebody = verified(&world);
    let ask = |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        world
            .client
            .post("/api/v1/me/email", &somebody.token, &body)
    };
    let wrong = ask("new@example.net", NEW).expect(401);
    assert_eq!(wrong.code(), "invalid_credentials");
    std::thread::sleep(AFTER_A_FAILURE);
    ask("no address", PASSWORD).expect(422);
    let taken = ask(&world.member("acme", "owner").email, PASSWORD).expect(202);
    assert!(taken.text().contains("accepted"));
    assert_eq!(
        ask("new@example.net", PASSWORD).expect(429).code(),
        "slow_down"
    );
    // The first request is in the way for a minute; another account shows the rest.
    let somebody = verified(&world);
    let body = json!({ "email": "new@example.net", "password": PASSWORD });
    world
        .client
        .post("/api/v1/me/email", &somebody.token, &body)
        .expect(202);
    let token = world.mailed("email_confirmation", "new@example.net");
    assert_eq!(status_of_me(&world, &somebody.token), 200);
    with_token(&world, CONFIRM, &token).expect(204);
    let used = with_token(&world, CONFIRM, &token).expect(401);
    assert_eq!(used.code(), "invalid_grant");
    assert_eq!(status_of_me(&world, &somebody.token), 401);
    let thief = login(&world.client, "new@example.net", PASSWORD, None).expect(200);
    let thief = thief.json()["access_token"].as_str().unwrap().to_owned();
    let objection = world.mailed("email_changed", &somebody.email);
    let path = "/api/v1/auth/email-change/object";
    with_token(&world, path, &objection).expect(204);
    assert_eq!(status_of_me(&world, &thief), 401);
    with_token(&world, path, &objection).expect(401);
    login(&world.client, "new@example.net", PASSWORD, None).expect(401);
    login(&world.client, &somebody.email, PASSWORD, None).expect(401);
    // A taken address was told to nobody.
    let owner = &world.member("acme", "owner").email;
    assert_eq!(world.try_mailed("email_confirmation", owner), None);
}

#[test]
fn asvs_7_4_2_a_disabled_account_is_out_at_once() {
    let world = World::new("");
    let somebody = verified(&world);
    let root = world.administrator.token.clone();
    let at = |id: &str, word: &str| format!("/api/v1/system/users/{id}/{word}");
    let reason = json!({ "reason": "left" });
    world
        .client
        .post(&at(&somebody.id, "disable"), &root, &reason)
        .expect(204);
    assert_eq!(status_of_me(&world, &somebody.token), 401);
    login(&world.client, &somebody.email, PASSWORD, None).expect(401);
    world.mailed_plain("account_disabled", &somebody.email);
    let path = format!("/api/v1/system/users?email={}", somebody.email);
    let shown = world.client.get(&path, &root).expect(200).json();
    assert!(shown["items"][0]["disabled_at"].is_string(), "{shown}");
    world
        .client
        .call("POST", &at(&somebody.id, "enable"), Some(&root), None)
        .expect(204);
    assert_eq!(status_of_me(&world, &somebody.token), 401);
    std::thread::sleep(AFTER_A_FAILURE);
    login(&world.client, &somebody.email, PASSWORD, None).expect(200);
    let own = at(&world.administrator.id, "disable");
    let last = world.client.post(&own, &root, &reason).expect(409);
    assert_eq!(last.code(), "conflict");
    let nobody = at("usr_00000000000070008000000000000000", "disable");
    world.client.post(&nobody, &root, &reason).expect(404);
}

#[test]
fn asvs_7_4_5_an_administrator_ends_the_sessions_of_one_of_many_and_of_all() {
    let mut world = World::new("");
    let somebody = verified(&world);
    let end = |world: &World, body: Value| {
        let root = &world.administrator.token;
        world
            .client
            .post("/api/v1/system/sessions/end", root, &body)
    };
    let viewer = world.member("globex", "viewer").token.clone();
    let elsewhere = world.member("acme", "viewer").token.clone();
    let one = json!({ "user": somebody.id, "reason": "lost" });
    assert_eq!(end(&world, one).expect(200).json()["ended"], 1);
    assert_eq!(status_of_me(&world, &somebody.token), 401);
    assert_eq!(status_of_me(&world, &viewer), 200);

    let orgs = world
        .client
        .get("/api/v1/system/orgs", &world.administrator.token)
        .expect(200)
        .json();
    let orgs = orgs["items"].as_array().unwrap();
    let globex = orgs.iter().find(|org| org["slug"] == "globex").unwrap();
    let org = json!({ "org": globex["id"], "reason": "an incident" });
    end(&world, org).expect(200);
    assert_eq!(status_of_me(&world, &viewer), 401);
    assert_eq!(status_of_me(&world, &elsewhere), 200);

    for bad in [
        json!({ "reason": "x" }),
        json!({ "everyone": false, "reason": "x" }),
        json!({ "everyone": true, "user": somebody.id, "reason": "x" }),
        json!({ "org": globex["id"], "keep_current": true, "reason": "x" }),
    ] {
        end(&world, bad).expect(422);
    }
    let all = json!({ "everyone": true, "keep_current": true, "reason": "an incident" });
    end(&world, all).expect(200);
    assert_eq!(status_of_me(&world, &elsewhere), 401);
    assert_eq!(status_of_me(&world, &world.administrator.token), 200);
    std::thread::sleep(Duration::from_millis(5));
    let fresh = login(&world.client, &somebody.email, PASSWORD, None).expect(200);
    let fresh = fresh.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(status_of_me(&world, &fresh), 200);
    let all = json!({ "everyone": true, "reason": "an incident" });
    end(&world, all).expect(200);
    assert_eq!(status_of_me(&world, &fresh), 401);
    assert_eq!(status_of_me(&world, &world.administrator.token), 401);
    std::thread::sleep(Duration::from_millis(5));
    let client = world.client.clone();
    world.administrator.sign_in(&client);
    assert_eq!(status_of_me(&world, &world.administrator.token), 200);
}

/// Runs an administration command on a directory that no server uses.
fn admin(data: &std::path::Path, words: &[&str]) -> (Option<i32>, String) {
    let ran = std::process::Command::new(support::server::CYPROB)
        .arg("admin")
        .args(words)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    (
        ran.status.code(),
        String::from_utf8_lossy(&ran.stdout).into_owned(),
    )
}

#[test]
fn the_operator_switches_accounts_and_lets_an_administrator_in_again() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = support::Server::start(&data);
    support::world::found(&server, "root@example.com");
    // The directory is in use: nothing is touched beside a running server.
    assert_eq!(admin(&data, &["user", "list"]).0, Some(3));
    assert!(server.interrupt().success());
    let (status, listed) = admin(&data, &["user", "list"]);
    assert_eq!(status, Some(0));
    assert!(
        listed.ends_with(" root@example.com administrator\n"),
        "{listed}"
    );
    let disable = ["user", "disable", "root@example.com", "--reason", "x"];
    assert_eq!(admin(&data, &disable).0, Some(2), "the last administrator");
    assert_eq!(
        admin(&data, &["user", "enable", "a@example.com"]).0,
        Some(2)
    );
    assert_eq!(admin(&data, &["recover", "a@example.com"]).0, Some(2));
    let (status, told) = admin(&data, &["recover", "root@example.com"]);
    assert_eq!(status, Some(0));
    let token = told.lines().find(|line| line.starts_with("cypw_")).unwrap();
    let server = support::Server::start(&data);
    let client = server.client();
    let body = json!({ "token": token, "password": NEW });
    let path = format!("{RESET}/confirm");
    client.call("POST", &path, None, Some(&body)).expect(204);
    login(&client, "root@example.com", NEW, None).expect(200);
}
