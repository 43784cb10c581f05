//! Service accounts and own roles from outside: what they may, how they end, what is kept of a key.
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
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use support::{Answer, World, factor};

const ROLES: &str = "/api/v1/orgs/acme/roles";
const MACHINES: &str = "/api/v1/orgs/acme/service-accounts";

/// A time so many days from now, as requests write it.
fn in_days(days: u64) -> String {
    let at = SystemTime::now() + Duration::from_secs(days * 86_400);
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    cyprob::core::domain::Timestamp::from_seconds(i64::try_from(seconds).unwrap()).to_string()
}

struct Machine {
    path: String,
    key: String,
    key_id: String,
}

impl Machine {
    fn new(world: &World, role: &str) -> Self {
        let owner = &world.member("acme", "owner").token;
        let body = json!({ "name": "Pipeline", "role": role });
        let made = world.client.post(MACHINES, owner, &body).expect(201).json();
        let path = format!("{MACHINES}/{}", made["id"].as_str().unwrap());
        let body = json!({ "expires_at": in_days(30) });
        let keys = format!("{path}/keys");
        let key = world.client.post(&keys, owner, &body).expect(201).json();
        Self {
            path,
            key: key["key"].as_str().unwrap().to_owned(),
            key_id: key["id"].as_str().unwrap().to_owned(),
        }
    }

    fn exchange(&self, world: &World) -> Answer {
        let body = json!({ "key": self.key });
        let path = "/api/v1/auth/service-token";
        world.client.call("POST", path, None, Some(&body))
    }

    fn token(&self, world: &World) -> String {
        let answer = self.exchange(world).expect(200).json();
        assert_eq!(answer["token_type"], "Bearer");
        assert_eq!(answer["expires_in"], 300);
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.json()["code"], code);
}

/// Whether any file below a directory holds these bytes.
fn holds(directory: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        let content = std::fs::read(&path).unwrap_or_default();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn a_machine_works_until_its_key_its_role_or_itself_ends() {
    let world = World::new("");
    let (client, owner) = (&world.client, &world.member("acme", "owner").token);
    let runs = "/api/v1/orgs/acme/runs";
    let role = json!({ "name": "triage", "permissions": ["runs:read", "members:read"] });
    client.post(ROLES, owner, &role).expect(201);
    let machine = Machine::new(&world, "triage");
    let parts: Vec<_> = machine.key.split('_').map(str::len).collect();
    assert_eq!(parts, [3, 32, 43, 6], "cyk_<id>_<secret>_<checksum>");

    // it may what its role says, in its organization, and nothing of a person's
    let token = machine.token(&world);
    client.get(runs, &token).expect(200);
    client.get("/api/v1/orgs/acme/members", &token).expect(200);
    refused(
        &client.get("/api/v1/orgs/globex/runs", &token),
        404,
        "not_found",
    );
    refused(&client.get(MACHINES, &token), 403, "forbidden");
    for person in ["/api/v1/me", "/api/v1/sessions", "/api/v1/system/orgs"] {
        refused(&client.get(person, &token), 403, "forbidden");
    }

    // an edit of its role ends its token, and the next one may what the role may then
    let narrow = json!({ "permissions": ["runs:read"] });
    let path = format!("{ROLES}/triage");
    client
        .call("PUT", &path, Some(owner), Some(&narrow))
        .expect(200);
    refused(&client.get(runs, &token), 401, "invalid_token");
    let token = machine.token(&world);
    client.get(runs, &token).expect(200);
    let members = client.get("/api/v1/orgs/acme/members", &token);
    refused(&members, 403, "forbidden");
    let answer = client.call("DELETE", &path, Some(owner), None);
    refused(&answer, 409, "conflict");
    assert_eq!(answer.json()["used_by"]["service_accounts"], 1);

    // a revoked key ends its tokens at once
    let key = format!("{}/keys/{}", machine.path, machine.key_id);
    client.call("DELETE", &key, Some(owner), None).expect(204);
    refused(&client.get(runs, &token), 401, "invalid_token");
    refused(&machine.exchange(&world), 401, "invalid_grant");

    // and so does the end of the account
    let other = Machine::new(&world, "viewer");
    let token = other.token(&world);
    client.get(runs, &token).expect(200);
    client
        .call("DELETE", &other.path, Some(owner), None)
        .expect(204);
    refused(&client.get(runs, &token), 401, "invalid_token");
    refused(&other.exchange(&world), 401, "invalid_grant");

    let trail = client.get(
        "/api/v1/orgs/acme/audit?action=service_key.exchanged",
        owner,
    );
    let trail: Value = trail.expect(200).json();
    let used = &trail["items"][0]["actor"];
    assert_eq!(used["kind"], "service");
    assert_eq!(
        used["on_behalf_of"],
        world.member("acme", "owner").id.as_str()
    );
}

#[test]
fn a_role_that_changed_since_it_was_seen_is_not_given_and_names_of_the_house_are_taken() {
    let world = World::new("");
    let (client, owner) = (&world.client, &world.member("acme", "owner").token);
    let role = json!({ "name": "triage", "permissions": ["runs:read"] });
    let first = client.post(ROLES, owner, &role).expect(201).json();
    let path = format!("{ROLES}/triage");
    let put = |path: &str, body: &Value| client.call("PUT", path, Some(owner), Some(body));
    let wide =
        json!({ "permissions": ["runs:read", "members:write"], "version": first["version"] });
    let second = put(&path, &wide).expect(200).json();
    // of two who looked at the first version, the second to write is told
    let late = json!({ "permissions": ["org:read"], "version": first["version"] });
    refused(&put(&path, &late), 409, "conflict");

    let viewer = &world.member("acme", "viewer").id;
    let member = format!("/api/v1/orgs/acme/members/{viewer}");
    let given = |version: &Value| json!({ "role": "triage", "role_version": version });
    refused(&put(&member, &given(&first["version"])), 409, "conflict");
    let mut invite = given(&first["version"]);
    invite["email"] = json!("guest@example.com");
    let invitations = "/api/v1/orgs/acme/invitations";
    refused(&client.post(invitations, owner, &invite), 409, "conflict");
    let mut machine = given(&first["version"]);
    machine["name"] = json!("Pipeline");
    refused(&client.post(MACHINES, owner, &machine), 409, "conflict");
    put(&member, &given(&second["version"])).expect(200);
    let nonsense = given(&json!("rol_1.1"));
    refused(&put(&member, &nonsense), 422, "invalid_field");

    let listed = client.get(ROLES, owner).expect(200).json();
    for role in listed["items"].as_array().unwrap() {
        let builtin = role["builtin"] == true;
        assert_eq!(role["version"].is_null(), builtin, "{role}");
        let name = role["name"].as_str().unwrap();
        let again = json!({ "name": name, "permissions": ["runs:read"] });
        refused(&client.post(ROLES, owner, &again), 409, "conflict");
        if builtin {
            let path = format!("{ROLES}/{name}");
            let edit = json!({ "permissions": ["runs:read"] });
            refused(&put(&path, &edit), 409, "conflict");
            let gone = client.call("DELETE", &path, Some(owner), None);
            refused(&gone, 409, "conflict");
        }
    }
    for name in [
        "Owner",
        "OWNER",
        " owner",
        "owner ",
        "owner\u{200b}",
        "ｏwner",
    ] {
        let role = json!({ "name": name, "permissions": ["runs:read"] });
        refused(&client.post(ROLES, owner, &role), 422, "invalid_field");
    }
}

#[test]
fn no_secret_of_a_key_is_kept_anywhere() {
    let world = World::new("");
    let machine = Machine::new(&world, "viewer");
    machine.token(&world);
    let owner = &world.member("acme", "owner").token;
    let secret = machine.key.split('_').nth(2).unwrap();
    let listed = world.client.get(MACHINES, owner).expect(200);
    assert!(listed.text().contains(&machine.key_id));
    assert!(!listed.text().contains(secret));
    let trail = world
        .client
        .get("/api/v1/orgs/acme/audit", owner)
        .expect(200);
    assert!(!trail.text().contains(secret));
    let data = world.server.data.clone();
    assert!(
        holds(&data, b"service_key.exchanged"),
        "the search finds what is there"
    );
    assert!(!holds(&data, secret.as_bytes()));
}

#[test]
fn asvs_8_4_1_one_organization_reaches_no_role_or_machine_of_another() {
    let world = World::new("");
    let role = json!({ "name": "triage", "permissions": ["runs:read"] });
    let (client, acme) = (&world.client, &world.member("acme", "owner").token);
    client.post(ROLES, acme, &role).expect(201);
    let machine = Machine::new(&world, "triage");
    let globex = &world.member("globex", "owner").token;
    let theirs = |path: &str| path.replace("/orgs/acme/", "/orgs/globex/");
    let narrow = json!({ "permissions": ["runs:read"] });
    let update = json!({ "role": "viewer" });
    let until = json!({ "expires_at": in_days(1) });
    for path in [&theirs as &dyn Fn(&str) -> String, &|path: &str| {
        path.to_owned()
    }] {
        let role = path(&format!("{ROLES}/triage"));
        let account = path(&machine.path);
        let calls = [
            ("PUT", role.clone(), Some(&narrow)),
            ("DELETE", role, None),
            ("PUT", account.clone(), Some(&update)),
            ("POST", format!("{account}/keys"), Some(&until)),
            ("DELETE", format!("{account}/keys/{}", machine.key_id), None),
            ("DELETE", account, None),
        ];
        for (method, path, body) in calls {
            let answer = client.call(method, &path, Some(globex), body);
            refused(&answer, 404, "not_found");
        }
    }
    machine.exchange(&world).expect(200);
}

#[test]
fn a_machine_goes_on_where_people_show_a_factor_and_passes_for_none_of_them() {
    let world = World::new("");
    let client = &world.client;
    let org = "/api/v1/orgs/acme";
    let machine = Machine::new(&world, "admin");
    let token = machine.token(&world);
    let required = |on: bool| json!({ "policy": { "factor_required": on } });
    let patch = |token: &str, body: &Value| client.call("PATCH", org, Some(token), Some(body));
    refused(&patch(&token, &required(true)), 403, "forbidden");

    let owner = &world.member("acme", "owner").token;
    let set = factor::set_up(client, owner);
    let path = format!("{org}/token");
    let in_acme = client.call("POST", &path, Some(&set.token), None);
    let in_acme = in_acme.expect(200).json();
    let in_acme = in_acme["access_token"].as_str().unwrap();
    patch(in_acme, &required(true)).expect(200);

    // the token of before and the next one: the rule is for people
    let viewer = &world.member("acme", "viewer").token;
    refused(&client.get(org, viewer), 401, "invalid_token");
    for token in [&token, &machine.token(&world)] {
        client.get(org, token).expect(200);
        patch(token, &json!({ "name": "Acme & Co" })).expect(200);
        refused(&patch(token, &required(false)), 403, "forbidden");
        // nor has it a sign-in that it could make fresh
        let calls = [
            ("/api/v1/auth/step-up", json!({ "password": "x" })),
            ("/api/v1/me/totp", json!({})),
            ("/api/v1/me/email", json!({ "email": "m@example.com" })),
        ];
        for (path, body) in calls {
            refused(&client.post(path, token, &body), 403, "forbidden");
        }
    }
    let policy = client.get(org, in_acme).expect(200).json();
    assert_eq!(policy["policy"]["factor_required"], true);
}
