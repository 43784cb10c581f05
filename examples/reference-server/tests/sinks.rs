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
use support::World;

const ORG: &str = "/api/v1/orgs/acme";

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn rename(world: &World, count: u32) {
    let owner = &world.member("acme", "owner").token;
    for _ in 0..count {
        let body = json!({ "name": world.fresh("Name ") });
        world
            .client
            .call("PATCH", ORG, Some(owner), Some(&body))
            .expect(200);
    }
}

fn exported(world: &World) -> Vec<Value> {
    let owner = &world.member("acme", "owner").token;
    let answer = world
        .client
        .get(&format!("{ORG}/audit/export?format=jsonl"), owner)
        .expect(200);
    answer
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Waits until there are so many events at least: the log and the sink have them a moment after their change.
fn at_least(count: usize, there: impl Fn() -> Vec<Value>) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found = there();
        if found.len() >= count {
            return found;
        }
        let waited = begun.elapsed();
        assert!(
            waited < Duration::from_secs(30),
            "{} of {count} events",
            found.len()
        );
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
    let me = world
        .client
        .get(ORG, &world.member("acme", "owner").token)
        .expect(200)
        .json();
    let file = sink.join(format!("{}.jsonl", me["id"].as_str().unwrap()));
    rename(&world, 5);
    // An empty log would say nothing of the file.
    let before = at_least(1, || exported(&world)).len();
    at_least(before, || lines(&file));

    // What stands in its way now is no file that can be written.
    let aside = sink.join("aside");
    std::fs::rename(&file, &aside).unwrap();
    std::fs::create_dir(&file).unwrap();
    let begun = Instant::now();
    rename(&world, 50);
    let took = begun.elapsed();
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    let begun = Instant::now();
    rename(&world, 50);
    let sound = begun.elapsed();
    println!("50 changes with a failing sink: {took:?}, with a sound one: {sound:?}");
    assert!(
        took < sound * 10 + Duration::from_secs(1),
        "{took:?} against {sound:?}"
    );

    let want = exported(&world);
    println!("{} events are exported", want.len());
    let got = at_least(want.len(), || lines(&file));
    for (index, (line, item)) in got.iter().zip(&want).enumerate() {
        assert_eq!(line["index"], json!(index));
        assert_eq!(
            line["dedupe_id"],
            json!(format!("cyprob/{}#{index}", me["id"].as_str().unwrap()))
        );
        let mut line = line.clone();
        line.as_object_mut().unwrap().remove("dedupe_id");
        assert_eq!(&line, item);
    }
}
