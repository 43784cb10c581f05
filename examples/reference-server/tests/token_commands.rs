//! `cyprob token attenuate`: a narrower token for a script, and what the server makes of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod support;

use std::time::{Duration, Instant};

use support::attenuate::{attenuate, narrowed};
use support::world::{PASSWORD, found, login};
use support::{Client, Server, World};

#[test]
fn a_narrower_token_is_honoured_as_far_as_it_goes() {
    let world = World::new("");
    let client = &world.client;
    let owner = &world.member("acme", "owner").token;
    let status = |token: &str, path: &str| client.get(path, token).status;
    let (runs, members) = ("/api/v1/orgs/acme/runs", "/api/v1/orgs/acme/members");

    let reads = narrowed(&format!("{owner}\n"), &["--permission", "runs:read"]);
    assert_eq!(status(&reads, runs), 200);
    assert_eq!(status(&reads, members), 403);
    // A narrowed token does nothing for the person as such.
    assert_eq!(status(&reads, "/api/v1/me"), 403);
    assert_eq!(status(owner, members), 200);

    let here = narrowed(&reads, &["--address", "127.0.0.0/8", "--ends-in", "60"]);
    assert_eq!(status(&here, runs), 200);
    let elsewhere = narrowed(owner, &["--address", "192.0.2.0/24"]);
    assert_eq!(status(&elsewhere, runs), 403);
    let one = narrowed(owner, &["--resource", "run_of_nobody"]);
    assert_eq!(status(&one, runs), 403);
    let over = narrowed(owner, &["--ends-in", "0"]);
    assert_eq!(status(&over, runs), 401);
}

#[test]
fn what_cannot_be_narrowed_is_status_2_and_tells_no_token() {
    let world = World::new("");
    let owner = &world.member("acme", "owner").token;
    let cut = owner.get(1..).unwrap();
    for (token, args, told) in [
        (
            owner.as_str(),
            &[][..],
            "say to what the token is to be narrowed",
        ),
        (
            owner,
            &["--permission", "runs:raed"],
            "there is no permission `runs:raed`",
        ),
        (
            cut,
            &["--permission", "runs:read"],
            "not an access token of a control plane",
        ),
        (
            "",
            &["--permission", "runs:read"],
            "not an access token of a control plane",
        ),
        (owner, &["--address", "10.0.0.1/8"], "canonical spelling"),
        (owner, &["--uses", "0"], "0 is not in 1..=8"),
        (owner, &["--uses", "9"], "9 is not in 1..=8"),
    ] {
        let refused = attenuate(token, args);
        assert_eq!(refused.status.code(), Some(2));
        assert!(refused.stdout.is_empty());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(told), "{said}");
        assert!(!said.contains(&cut[10..40]), "{said}");
    }
}

const RUNS: &str = "/api/v1/orgs/acme/runs";

/// The statuses of so many requests at once, in order.
fn at_once(client: &Client, token: &str, many: usize) -> Vec<u16> {
    let asking: Vec<_> = (0..many)
        .map(|_| {
            let (client, token) = (client.clone(), token.to_owned());
            std::thread::spawn(move || client.get(RUNS, &token).status)
        })
        .collect();
    let mut statuses: Vec<u16> = asking.into_iter().map(|it| it.join().unwrap()).collect();
    statuses.sort_unstable();
    statuses
}

#[test]
fn a_token_is_good_as_often_as_its_holder_said() {
    let world = World::new("");
    let client = &world.client;
    let owner = &world.member("acme", "owner").token;
    let once = narrowed(owner, &["--uses", "1", "--permission", "runs:read"]);
    // What is refused for another reason does not count.
    client.get("/api/v1/orgs/acme/members", &once).expect(403);
    client.get("/api/v1/me", &once).expect(403);
    client.get("/api/v1/orgs/globex/runs", &once).expect(404);
    client.get(RUNS, &once).expect(200);
    let again = client.get(RUNS, &once).expect(401);
    assert_eq!(again.code(), "invalid_token");

    let thrice = narrowed(owner, &["--uses", "3"]);
    let statuses = at_once(client, &thrice, 12);
    assert_eq!(statuses, [vec![200; 3], vec![401; 9]].concat());
    client.get(RUNS, owner).expect(200);

    // Whoever asked again is in the trail.
    let told = || {
        let path = "/api/v1/orgs/acme/audit?action=access.denied&limit=100";
        let events = client.get(path, owner).expect(200).json();
        let events = events["items"].as_array().unwrap().clone();
        let spent = events.iter().filter(|event| event["reason"] == "spent");
        spent.count()
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while told() < 10 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(told(), 10);
}

#[test]
fn what_is_spent_is_spent_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = Server::start(&data);
    found(&server, "root@example.com");
    let client = server.client();
    let answer = login(&client, "root@example.com", PASSWORD, Some("acme")).expect(200);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let twice = narrowed(&token, &["--uses", "2"]);
    client.get(RUNS, &twice).expect(200);
    server.kill();

    let server = Server::start(&data);
    let client = server.client();
    client.get(RUNS, &twice).expect(200);
    assert!(server.interrupt().success());

    let server = Server::start(&data);
    let client = server.client();
    client.get(RUNS, &twice).expect(401);
    client.get(RUNS, &token).expect(200);
    assert!(server.interrupt().success());
}
