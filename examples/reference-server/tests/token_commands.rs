//! `cyprob token attenuate`: a narrower token for a script, and what the server makes of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod support;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use support::World;
use support::server::CYPROB;

fn attenuate(token: &str, args: &[&str]) -> Output {
    let mut child = Command::new(CYPROB)
        .args(["token", "attenuate"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(token.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn narrowed(token: &str, args: &[&str]) -> String {
    let output = attenuate(token, args);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

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
    ] {
        let refused = attenuate(token, args);
        assert_eq!(refused.status.code(), Some(2));
        assert!(refused.stdout.is_empty());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(told), "{said}");
        assert!(!said.contains(&cut[10..40]), "{said}");
    }
}
