//! Roles that have some runs of an organization: one's own, or those of a team.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::support::World;
use crate::{ORG, install_all};

/// One role has its own runs, and one has the web team's, and starts no others.
const POLICY: &str = "version: 1
roles:
  tester:
    grants:
      - permissions: [org:read, plugins:read]
      - permissions: [runs:read, runs:create]
        when: {own: true}
  web:
    grants:
      - permissions: [org:read, plugins:read]
      - permissions: [runs:read, runs:create]
        when: {tags: ['team:web', 'site:berlin']}
  reader:
    grants:
      - permissions: [org:read]
      - permissions: [runs:read]
        when: {own: true, tags: ['team:web']}
";

fn policed(home: &tempfile::TempDir) -> World {
    let policy = home.path().join("policy.yaml");
    std::fs::write(&policy, POLICY).unwrap();
    // Nothing takes the runs, so that they can be cancelled.
    let config = format!("policy_file = {policy:?}\nworker_command = [\"/bin/sleep\", \"600\"]\n");
    let world = World::new(&config);
    install_all(&world);
    world
}

fn facts(tags: Value) -> Value {
    let set = json!({ "target": "192.0.2.1", "port": 1, "facts": { "a": 1 } });
    json!({ "facts": [set], "tags": tags })
}

fn start(world: &World, token: &str, tags: &[&str]) -> String {
    let path = format!("{ORG}/runs");
    let queued = world.client.post(&path, token, &facts(json!(tags)));
    queued.expect(202).json()["id"].as_str().unwrap().to_owned()
}

/// The ids of all runs that are listed, a few at a time.
fn listed(world: &World, token: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("{ORG}/runs?limit=2{cursor}");
        let page = world.client.get(&path, token).expect(200).json();
        let items = page["items"].as_array().unwrap().iter();
        ids.extend(items.map(|run| run["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

/// The refusals of a person that the trail has, once there are as many as expected.
fn refusals(world: &World, owner: &str, person: &str, expected: usize) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let path = format!("{ORG}/audit?action=access.denied&limit=100");
        let found = world.client.get(&path, owner).expect(200).json();
        let items = found["items"].as_array().unwrap().iter();
        let of_person: Vec<_> = items
            .filter(|e| e["actor"]["id"] == person)
            .cloned()
            .collect();
        if of_person.len() >= expected || Instant::now() > deadline {
            return of_person;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn two_people_have_the_runs_that_their_roles_have() {
    let home = tempfile::tempdir().unwrap();
    let world = policed(&home);
    let client = &world.client;
    let owner = world.member("acme", "owner").token.clone();
    let tester = world.new_member("acme", "tester", &owner);
    let web = world.new_member("acme", "web", &owner);
    let reader = world.new_member("acme", "reader", &owner);

    let roles = client
        .get(&format!("{ORG}/roles"), &owner)
        .expect(200)
        .json();
    let roles = roles["items"].as_array().unwrap().iter();
    let shown = roles.clone().find(|role| role["name"] == "reader").unwrap();
    let conditional = json!([{ "permissions": ["runs:read"], "own": true, "tags": ["team:web"] }]);
    assert_eq!(shown["conditional"], conditional);

    let of_owner = start(&world, &owner, &[]);
    let of_tester = start(&world, &tester.token, &[]);
    let of_web = start(&world, &web.token, &["team:web", "site:berlin"]);
    let again = start(&world, &tester.token, &[]);
    let berlin = start(&world, &owner, &["site:berlin", "team:db"]);
    let all = [&berlin, &again, &of_web, &of_tester, &of_owner];
    assert_eq!(listed(&world, &owner).iter().collect::<Vec<_>>(), all);
    assert_eq!(listed(&world, &tester.token), [&*again, &of_tester]);
    assert_eq!(listed(&world, &web.token), [&*berlin, &of_web]);
    assert_eq!(listed(&world, &reader.token), [""; 0]);

    let run = format!("{ORG}/runs/{of_web}");
    let told = client.get(&run, &web.token).expect(200).json();
    assert_eq!(told["tags"], json!(["site:berlin", "team:web"]), "{told}");

    // What is another's is as what is nowhere, and only the trail tells them apart.
    let nowhere = "run_0190a0a0a0a070008000000000000000";
    for (account, hidden, had) in [
        (&tester, [&of_owner, &of_web, &berlin], &of_tester),
        (&web, [&of_owner, &of_tester, &again], &of_web),
    ] {
        let token = &account.token;
        for end in ["", "/findings"] {
            let path = |run: &str| format!("{ORG}/runs/{run}{end}");
            client.get(&path(had), token).expect(200);
            let missing = client.get(&path(nowhere), token).expect(404);
            for run in hidden {
                let answer = client.get(&path(run), token).expect(404);
                assert_eq!(without_ids(&answer.json()), without_ids(&missing.json()));
            }
        }
        let cancel = |run: &str| {
            client.call(
                "POST",
                &format!("{ORG}/runs/{run}/cancel"),
                Some(token),
                None,
            )
        };
        let state = |run: &str| {
            let told = client.get(&format!("{ORG}/runs/{run}"), &owner).expect(200);
            told.json()["state"].clone()
        };
        let missing = cancel(nowhere).expect(404);
        for run in hidden {
            let before = state(run);
            let answer = cancel(run).expect(404);
            assert_eq!(without_ids(&answer.json()), without_ids(&missing.json()));
            assert_eq!(state(run), before);
        }
        assert_eq!(cancel(had).expect(200).json()["state"], "cancelled");
        let found = refusals(&world, &owner, &account.id, 9);
        assert_eq!(found.len(), 9, "{found:?}");
        for event in found {
            assert_eq!(event["reason"], "condition_object", "{event}");
            assert_eq!(event["resource"]["type"], "run", "{event}");
            assert_ne!(event["resource"]["id"], nowhere, "{event}");
        }
    }
}

/// A refusal but for what names the request.
fn without_ids(problem: &Value) -> Value {
    let mut problem = problem.clone();
    for field in ["request_id", "instance"] {
        problem.as_object_mut().unwrap().remove(field);
    }
    problem
}

#[test]
fn a_role_starts_no_run_that_it_would_not_have() {
    let home = tempfile::tempdir().unwrap();
    let world = policed(&home);
    let owner = world.member("acme", "owner").token.clone();
    let web = world.new_member("acme", "web", &owner);
    let reader = world.new_member("acme", "reader", &owner);
    let runs = format!("{ORG}/runs");
    let post = |token: &str, tags: Value| world.client.post(&runs, token, &facts(tags));
    // Nor one that others would have by a tag that is not the role's to give.
    let tester = world.new_member("acme", "tester", &owner);
    post(&tester.token, json!(["team:web"])).expect(403);
    for tags in [
        json!([]),
        json!(["team:db"]),
        json!(["team:db", "team:web"]),
    ] {
        let answer = post(&web.token, tags).expect(403);
        assert_eq!(answer.code(), "forbidden", "{}", answer.text());
    }
    // A body that cannot say its tags has none.
    let bearer = format!("Bearer {}", web.token);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/xml"),
    ];
    let xml = world
        .client
        .send("POST", &runs, &headers, Some(b"<nmaprun/>"));
    xml.expect(403);
    post(&reader.token, json!(["team:web"])).expect(403);
    assert_eq!(listed(&world, &owner), [""; 0]);
    post(&web.token, json!(["site:berlin", "team:web"])).expect(202);
    post(&tester.token, json!([])).expect(202);
    assert_eq!(listed(&world, &owner).len(), 2);
    let found = refusals(&world, &owner, &web.id, 4);
    let ended = found.iter().filter(|e| e["reason"] == "condition_object");
    assert_eq!(ended.count(), 4, "{found:?}");
}

#[test]
fn tags_are_held_to_their_form() {
    let home = tempfile::tempdir().unwrap();
    let world = policed(&home);
    let owner = world.member("acme", "owner").token.clone();
    let runs = format!("{ORG}/runs");
    let post = |tags: Value| world.client.post(&runs, &owner, &facts(tags));
    for (tags, field) in [
        (json!(["a", "B"]), "tags[1]"),
        (json!(["", "a"]), "tags[0]"),
        (json!(["a", "a,b"]), "tags[1]"),
        (json!(["x".repeat(65)]), "tags[0]"),
        (
            json!((0..17).map(|n| format!("t{n}")).collect::<Vec<_>>()),
            "tags",
        ),
    ] {
        let answer = post(tags).expect(422);
        assert_eq!(answer.code(), "invalid_field", "{}", answer.text());
        assert_eq!(answer.json()["field"], field, "{}", answer.text());
    }
    // One that comes twice counts once.
    let twice: Vec<_> = (0..32).map(|n| format!("t{}", n % 16)).collect();
    let queued = post(json!(twice)).expect(202).json();
    let path = format!("{runs}/{}", queued["id"].as_str().unwrap());
    let told = world.client.get(&path, &owner).expect(200).json();
    assert_eq!(told["tags"].as_array().unwrap().len(), 16, "{told}");
    let plain = post(json!(null)).expect(202).json();
    let path = format!("{runs}/{}", plain["id"].as_str().unwrap());
    let told = world.client.get(&path, &owner).expect(200).json();
    assert_eq!(told["tags"], json!([]), "{told}");
}

/// A machine that is given to another person keeps its keys, and does not get the first one's run by them.
#[test]
fn a_key_does_not_give_out_a_run_that_its_machine_may_not_have_any_more() {
    let home = tempfile::tempdir().unwrap();
    let world = policed(&home);
    let client = &world.client;
    let owner = world.member("acme", "owner").token.clone();
    let machines = "/api/v1/orgs/acme/service-accounts";
    let body = json!({ "name": "Pipeline", "role": "tester" });
    let machine = client.post(machines, &owner, &body).expect(201).json();
    let path = format!("{machines}/{}", machine["id"].as_str().unwrap());
    let later = SystemTime::now() + Duration::from_secs(86_400);
    let later = later.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let later = i64::try_from(later.as_secs()).unwrap();
    let later = cyprob::core::domain::Timestamp::from_seconds(later);
    let body = json!({ "expires_at": later.to_string() });
    let key = client.post(&format!("{path}/keys"), &owner, &body);
    let key = key.expect(201).json()["key"].clone();
    let ask = || {
        let body = json!({ "key": key });
        let token = client.call("POST", "/api/v1/auth/service-token", None, Some(&body));
        let token = token.expect(200).json();
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", "nightly"),
        ];
        let body = facts(json!([])).to_string();
        client.send(
            "POST",
            &format!("{ORG}/runs"),
            &headers,
            Some(body.as_bytes()),
        )
    };
    let run = ask().expect(202).json()["id"].clone();
    assert_eq!(ask().expect(202).json()["id"], run);
    let other = world.new_member("acme", "admin", &owner);
    let given = json!({ "owner": other.id });
    client
        .call("PUT", &path, Some(&owner), Some(&given))
        .expect(200);
    let hidden = ask().expect(404);
    assert_eq!(hidden.code(), "not_found");
    assert!(!hidden.text().contains(run.as_str().unwrap()));
    let found = refusals(&world, &owner, machine["id"].as_str().unwrap(), 1);
    let [event] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(event["reason"], "condition_object", "{event}");
    assert_eq!(event["resource"]["id"], run, "{event}");
    // Given back, it is the machine's own again.
    let person = &world.member("acme", "owner").id;
    let given = json!({ "owner": person });
    client
        .call("PUT", &path, Some(&owner), Some(&given))
        .expect(200);
    assert_eq!(ask().expect(202).json()["id"], run);
}
