//! AUD-4: a sink that fails delays no request and loses no event.
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
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Answer, World};

const ORG: &str = "/api/v1/orgs/acme";
/// How long is waited for what comes a moment later, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// The lines that are whole.
fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A request of the owner's, and its id, which the event of it has.
fn ask(world: &World, method: &str, path: &str, body: Option<&Value>) -> (Answer, String) {
    let owner = &world.member("acme", "owner").token;
    let answer = world.client.call(method, path, Some(owner), body);
    let answer = answer.expect(200);
    let id = answer.header("x-request-id").unwrap().to_owned();
    (answer, id)
}

/// Changes the name so many times; each change is an event of its request.
fn rename(world: &World, count: u32) -> Vec<String> {
    let change = |_| {
        let body = json!({ "name": world.fresh("Name ") });
        ask(world, "PATCH", ORG, Some(&body)).1
    };
    (0..count).map(change).collect()
}

/// What was recorded until now, the oldest first and without places; that it was read is one event more.
fn recorded(world: &World) -> (Vec<Value>, String) {
    let (answer, id) = ask(world, "GET", &format!("{ORG}/audit?limit=100"), None);
    let mut page = answer.json();
    assert!(page["next_cursor"].is_null(), "one page has them all");
    let mut items: Vec<_> = page["items"].as_array_mut().unwrap().drain(..).collect();
    items.reverse();
    (
        items.iter().map(|item| without(item, "index")).collect(),
        id,
    )
}

/// What is placed, the oldest first; the export is one event more.
fn exported(world: &World) -> (Vec<Value>, String) {
    let (answer, id) = ask(
        world,
        "GET",
        &format!("{ORG}/audit/export?format=jsonl"),
        None,
    );
    let text = answer.text();
    let items = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (items.collect(), id)
}

fn without(item: &Value, name: &str) -> Value {
    let mut item = item.clone();
    item.as_object_mut().unwrap().remove(name);
    item
}

/// The size of the log as it is published; to look is no event.
fn published(world: &World) -> usize {
    let owner = &world.member("acme", "owner").token;
    let answer = world.client.get(&format!("{ORG}/audit/checkpoint"), owner);
    if answer.status == 404 {
        return 0;
    }
    let text = answer.expect(200).text();
    text.lines().nth(1).unwrap().parse().unwrap()
}

/// Waits until there are as many as were made; there must never be more.
fn all(made: usize, what: &str, count: impl Fn() -> usize) {
    let begun = Instant::now();
    loop {
        let there = count();
        assert!(there <= made, "{what}: {there} of {made} events");
        if there == made {
            println!("{what}: {made} events after {:?}", begun.elapsed());
            return;
        }
        let waited = begun.elapsed();
        assert!(waited < PATIENCE, "{what}: {there} of {made} events");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn aud_4_a_failing_sink_delays_no_request_and_loses_no_event() {
    let home = tempfile::tempdir().unwrap();
    let sink = home.path().join("sink");
    std::fs::create_dir(&sink).unwrap();
    std::fs::set_permissions(&sink, PermissionsExt::from_mode(0o700)).unwrap();
    let world = World::new(&format!("audit_jsonl = {sink:?}"));
    let org = ask(&world, "GET", ORG, None).0.json()["id"].clone();
    let org = org.as_str().unwrap();
    let file = sink.join(format!("{org}.jsonl"));
    let (first, read) = recorded(&world);
    let mut made = vec![read];
    made.extend(rename(&world, 5));
    let before = first.len() + made.len();
    all(before, "log", || published(&world));
    all(before, "sink", || lines(&file).len());

    // What stands in its way now is a link, which a sink never follows.
    let aside = sink.join("aside");
    std::fs::rename(&file, &aside).unwrap();
    std::os::unix::fs::symlink("/dev/null", &file).unwrap();
    made.extend(rename(&world, 1));
    all(1, "failure", || {
        usize::from(world.server.said("an audit sink stands still"))
    });
    let begun = Instant::now();
    made.extend(rename(&world, 50));
    let took = begun.elapsed();
    let meanwhile = first.len() + made.len();
    all(meanwhile, "log with a failing sink", || published(&world));
    assert_eq!(lines(&aside).len(), before);
    // In one step: the sink makes no file of its own in between.
    std::fs::rename(&aside, &file).unwrap();
    let begun = Instant::now();
    made.extend(rename(&world, 50));
    let sound = begun.elapsed();
    println!("50 changes with a failing sink: {took:?}, with a sound one: {sound:?}");
    // The sink was tried again after 0.1 s, 0.2 s and so on, up to 10 s: fifty who wait for that take minutes.
    assert!(
        took < sound * 20 + Duration::from_secs(5),
        "{took:?} against {sound:?}"
    );

    let total = first.len() + made.len();
    all(total, "log", || published(&world));
    all(total, "sink", || lines(&file).len());
    let (want, export) = exported(&world);
    made.push(export);
    // At its end the server delivers what is left: the export, and nothing else.
    let World { server, .. } = world;
    assert!(server.interrupt().success());
    let got = lines(&file);
    assert_eq!(got.len(), total + 1);
    assert!(want.len() >= total, "{} of {total} exported", want.len());
    for (index, line) in got.iter().enumerate() {
        assert_eq!(line["index"], json!(index));
        assert_eq!(line["dedupe_id"], json!(format!("cyprob/{org}#{index}")));
        let line = without(line, "dedupe_id");
        if let Some(item) = want.get(index) {
            assert_eq!(&line, item);
        }
        match first.get(index) {
            Some(item) => assert_eq!(&without(&line, "index"), item),
            None => assert_eq!(line["request_id"], json!(made[index - first.len()])),
        }
    }
}
