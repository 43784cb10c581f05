//! Roles of a deployment: judged from the command line, and in force in what is served.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::World;
use support::server::CYPROB;
use tempfile::TempDir;

/// Whoever has it works from the machine itself, or from nowhere.
const POLICY: &str = "version: 1
roles:
  desk:
    includes: [viewer]
    grants:
      - permissions: [runs:create]
        when: {addresses: [127.0.0.0/8]}
      - permissions: [members:read]
        when: {addresses: [192.0.2.0/24]}
";

fn cyprob(args: &[&str]) -> Output {
    Command::new(CYPROB).args(args).output().unwrap()
}

fn written(home: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = home.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_policy_is_judged_without_a_server() {
    let home = tempfile::tempdir().unwrap();
    let policy = written(&home, "desk.yaml", POLICY);
    let said = |args: &[&str]| {
        let output = cyprob(args);
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{out}");
        out
    };

    let checked = said(&["policy", "check", text(&policy)]);
    assert!(checked.contains("desk\n  org:read: always\n"), "{checked}");
    assert!(
        checked.contains("  runs:create: if from 127.0.0.0/8\n"),
        "{checked}"
    );
    assert!(
        checked.contains("desk permits nothing that operator does not\n"),
        "{checked}"
    );

    let who = said(&[
        "policy",
        "who-can",
        "runs:create",
        "--policy",
        text(&policy),
    ]);
    assert_eq!(
        who,
        "owner: always\nadmin: always\noperator: always\nanalyst: always\n\
         desk: if from 127.0.0.0/8\n"
    );

    let what = said(&["policy", "what-can", "desk", "--policy", text(&policy)]);
    assert!(
        what.contains("POST /api/v1/orgs/{org}/runs: if from 127.0.0.0/8\n"),
        "{what}"
    );
    assert!(!what.contains("plugins/{id}/enable"), "{what}");

    let routes = said(&["routes", "--format", "csv", "--policy", text(&policy)]);
    assert!(routes.contains("POST,/api/v1/orgs/{org}/runs,desk,own,conditional\r\n"));
}

#[test]
fn a_policy_of_some_objects_is_judged_without_a_server() {
    let home = tempfile::tempdir().unwrap();
    let own = POLICY.replace("{addresses: [127.0.0.0/8]}", "{own: true, aal: 2}");
    let wider = POLICY.replace("{addresses: [127.0.0.0/8]}", "{tags: ['team:web'], aal: 2}");
    let [own, wider] = [("own.yaml", own), ("wider.yaml", wider)]
        .map(|(name, policy)| written(&home, name, &policy));
    let who = cyprob(&["policy", "who-can", "runs:create", "--policy", text(&own)]);
    let who = String::from_utf8(who.stdout).unwrap();
    let words = "desk: of one's own objects if signed in with two factors\n";
    assert!(who.ends_with(words), "{who}");
    let opens = cyprob(&["policy", "diff", text(&own), text(&wider)]);
    assert_eq!(opens.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(opens.stdout).unwrap(),
        "opens runs:create for desk: signed in with two factors, from an unknown address, \
         on mon at 00:00, of another's object tagged team:web\n\
         closes runs:create for desk: signed in with two factors, from an unknown address, \
         on mon at 00:00, of one's own object without tags\n\
         this opens 1 and closes 1 cells of role and permission\n"
    );
    // Nothing but runs is asked for of objects.
    let idle = "version: 1
roles:
  desk:
    grants:
      - permissions: [runs:create, members:read]
        when: {own: true}
      - permissions: [secrets:read, runs:read]
        when: {tags: [a], aal: 2}
      - permissions: [plugins:write]
        when: {aal: 2}
";
    let idle = written(&home, "idle.yaml", idle);
    let checked = cyprob(&["policy", "check", text(&idle)]);
    assert!(checked.status.success());
    let checked = String::from_utf8(checked.stdout).unwrap();
    let told = checked
        .lines()
        .filter(|line| line.contains("no route of objects"));
    let opens_nothing = "given of some objects alone, it opens nothing";
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            format!("5:9: no route of objects asks members:read: {opens_nothing}"),
            format!("7:9: no route of objects asks secrets:read: {opens_nothing}"),
        ]
    );
    for fine in [&own, &wider] {
        let checked = cyprob(&["policy", "check", text(fine)]);
        let checked = String::from_utf8(checked.stdout).unwrap();
        assert!(!checked.contains("of objects asks"), "{checked}");
    }
    let bad = POLICY.replace("{addresses: [127.0.0.0/8]}", "{own: false, tags: [Web]}");
    let bad = written(&home, "bad.yaml", &bad);
    let refused = cyprob(&["policy", "check", text(&bad)]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("7:21: write `own: true`"), "{told}");
    assert!(told.contains("7:35: `Web` is not a tag"), "{told}");
}

#[test]
fn what_a_second_policy_opens_is_status_1() {
    let home = tempfile::tempdir().unwrap();
    let before = written(&home, "before.yaml", POLICY);
    let wider = written(
        &home,
        "wider.yaml",
        &POLICY.replace("127.0.0.0/8", "126.0.0.0/7"),
    );
    let opens = cyprob(&["policy", "diff", text(&before), text(&wider)]);
    assert_eq!(opens.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(opens.stdout).unwrap(),
        "opens runs:create for desk: a service account, from 126.0.0.0, on mon at 00:00\n\
         this opens 1 and closes 0 cells of role and permission\n"
    );
    let closes = cyprob(&["policy", "diff", text(&wider), text(&before)]);
    assert_eq!(closes.status.code(), Some(0));
}

#[test]
fn a_policy_that_cannot_be_used_is_told_with_its_places() {
    let home = tempfile::tempdir().unwrap();
    let bad = POLICY
        .replace("runs:create", "runs:crate")
        .replace("viewer", "nobody");
    let bad = written(&home, "bad.yaml", &bad);
    let config = written(&home, "cyprob.toml", &format!("policy_file = {bad:?}\n"));
    let data = home.path().join("data");
    for args in [
        &["policy", "check", text(&bad)][..],
        &["serve", "--config", text(&config), "--data", text(&data)],
    ] {
        let refused = cyprob(args);
        assert_eq!(refused.status.code(), Some(2));
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(
            told.contains("6:23: there is no permission `runs:crate`; is runs:create meant?"),
            "{told}"
        );
    }
    let gone = cyprob(&["policy", "check", "/nowhere/desk.yaml"]);
    assert_eq!(gone.status.code(), Some(2));
    let nobody = cyprob(&["policy", "what-can", "nobody"]);
    assert_eq!(nobody.status.code(), Some(2));
}

#[test]
fn a_role_of_the_deployment_is_in_force_with_its_conditions() {
    let home = tempfile::tempdir().unwrap();
    let policy = written(&home, "desk.yaml", POLICY);
    let mut world = World::new(&format!("policy_file = {policy:?}\n"));
    let client = world.client.clone();
    let owner = world.member("acme", "owner").token.clone();

    // It is listed with its conditions, and no organization changes it.
    let roles = "/api/v1/orgs/acme/roles";
    let listed = client.get(roles, &owner).expect(200).json();
    let desk = listed["items"].as_array().unwrap().iter();
    let desk = desk.clone().find(|role| role["name"] == "desk").unwrap();
    assert_eq!(
        desk["permissions"],
        json!(["org:read", "plugins:read", "runs:read"])
    );
    assert_eq!(
        desk["conditional"],
        json!([
            { "permissions": ["runs:create"], "addresses": ["127.0.0.0/8"] },
            { "permissions": ["members:read"], "addresses": ["192.0.2.0/24"] },
        ])
    );
    let body = json!({ "name": "desk", "permissions": ["runs:read"] });
    client.post(roles, &owner, &body).expect(409);

    // A service account has the role too; a person gets it.
    let machine = json!({ "name": "ci", "role": "desk" });
    let machines = "/api/v1/orgs/acme/service-accounts";
    client.post(machines, &owner, &machine).expect(201);

    // The viewer becomes one, and may start runs from here, and see no members.
    let viewer = world.member("acme", "viewer").id.clone();
    let body = json!({ "role": "desk" });
    let path = format!("/api/v1/orgs/acme/members/{viewer}");
    client
        .call("PUT", &path, Some(&owner), Some(&body))
        .expect(200);
    let member = world.members.get_mut(&("acme", "viewer")).unwrap();
    member.sign_in(&client);
    let desk = member.token.clone();
    let run = json!({ "facts": [] });
    let started = client.post("/api/v1/orgs/acme/runs", &desk, &run);
    assert_ne!(started.status, 403, "{}", started.text());
    client.get("/api/v1/orgs/acme/members", &desk).expect(403);

    // Who can is told by name, with what the role asks, and with the organization's own roles.
    let who = |permission: &str| {
        let path = format!("/api/v1/orgs/acme/members?limit=100&permission={permission}");
        let members = client.get(&path, &owner).expect(200).json();
        let members = members["items"].as_array().unwrap().iter();
        let role_and_when = |item: &Value| {
            let role = item["role"].as_str().unwrap().to_owned();
            (role, item["when"].as_str().unwrap().to_owned())
        };
        let mut all: Vec<_> = members.map(role_and_when).collect();
        all.sort();
        all
    };
    let said = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = |(role, when): &(&str, &str)| ((*role).to_owned(), (*when).to_owned());
        pairs.iter().map(owned).collect()
    };
    assert_eq!(
        who("runs:create"),
        said(&[
            ("admin", "always"),
            ("analyst", "always"),
            ("desk", "if from 127.0.0.0/8"),
            ("operator", "always"),
            ("owner", "always"),
            ("owner", "always"),
        ])
    );
    assert_eq!(
        who("roles:write"),
        said(&[
            ("admin", "always"),
            ("owner", "always"),
            ("owner", "always"),
        ])
    );
    let runners = format!("{machines}?permission=runs:create");
    let runners = client.get(&runners, &owner).expect(200).json();
    assert_eq!(runners["items"][0]["name"], "ci", "{runners}");
    assert_eq!(runners["items"][0]["when"], "if from 127.0.0.0/8");
    let writers = format!("{machines}?permission=roles:write");
    let writers = client.get(&writers, &owner).expect(200).json();
    assert_eq!(writers["items"], json!([]));
    // A page at a time they are the same, and who is switched off can do nothing.
    let walked = |permission: &str| {
        let mut found = 0;
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/orgs/acme/members?limit=1&permission={permission}{cursor}");
            let page = client.get(&path, &owner).expect(200).json();
            found += page["items"].as_array().unwrap().len();
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    };
    assert_eq!((walked("runs:create"), walked("roles:write")), (6, 3));
    let analyst = &world.member("acme", "analyst").id;
    let off = format!("/api/v1/system/users/{analyst}/disable");
    let root = &world.administrator.token;
    let gone = json!({ "reason": "gone" });
    client.post(&off, root, &gone).expect(204);
    assert_eq!(walked("runs:create"), 5);
    for unknown in ["runs:fly", "", "system:orgs:read"] {
        let path = format!("/api/v1/orgs/acme/members?permission={unknown}");
        client.get(&path, &owner).expect(422);
    }
    // Without the question nothing is said of it.
    let plain = client.get("/api/v1/orgs/acme/members", &owner).expect(200);
    assert!(plain.json()["items"][0].get("when").is_none());

    // The trail says which rule refused; the client learns no more than that it may not.
    let denied = || {
        let listed = client.get("/api/v1/orgs/acme/audit?action=access.denied", &owner);
        listed.expect(200).json()["items"][0].clone()
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while denied().is_null() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
    }
    let event = denied();
    assert_eq!(event["reason"], "condition_address", "{event}");
    assert_eq!(event["actor"]["id"], viewer.as_str(), "{event}");
    let explanation = "the role desk permits members:read if from 192.0.2.0/24, but the request came from elsewhere";
    assert!(event.to_string().contains(explanation), "{event}");
}
