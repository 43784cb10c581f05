//! What the server writes down while hostile clients and workers try to write in it (ASVS V16).
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

#[path = "logging/evening.rs"]
mod evening;
mod support;

use std::collections::BTreeSet;

use evening::{Evening, FORGED, SECRET_MARK};
use serde_json::Value;

/// A line of the process log.
fn log_lines(evening: &Evening) -> Vec<Value> {
    let lines = evening.log.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

#[test]
fn asvs_16_2_1_every_entry_says_when_who_what_to_what_and_whence() {
    let evening = Evening::passed();
    assert!(evening.items.len() > 20, "{}", evening.items.len());
    for item in &evening.items {
        for field in ["id", "time", "action", "outcome"] {
            assert!(item[field].is_string(), "{field} of {item}");
        }
        let kind = item["actor"]["kind"].as_str().unwrap();
        assert!(item["resource"]["type"].is_string(), "{item}");
        if kind == "user" {
            assert!(item["actor"]["id"].is_string(), "{item}");
        }
        let counted = item["metadata"].get("count").is_some();
        if matches!(kind, "user" | "anonymous") && !counted {
            assert!(item["request_id"].is_string(), "{item}");
            assert_eq!(item["ip_address"], "127.0.0.1", "{item}");
        }
    }
    for line in log_lines(evening) {
        for field in ["timestamp", "level", "target"] {
            assert!(line[field].is_string(), "{field} of {line}");
        }
    }
}

#[test]
fn asvs_16_2_2_every_time_is_in_utc() {
    let evening = Evening::passed();
    let items = evening.items.iter().map(|item| &item["time"]);
    let lines = log_lines(evening);
    let times = items.chain(lines.iter().map(|line| &line["timestamp"]));
    let mut count = 0;
    for time in times {
        let time = time.as_str().unwrap();
        assert!(time.ends_with('Z') && time.contains('T'), "{time}");
        count += 1;
    }
    assert!(count > evening.items.len());
}

#[test]
fn asvs_16_2_3_the_server_writes_the_files_of_the_inventory_and_no_others() {
    let inventory = include_str!("../../../docs/manual/logging.md");
    let (_, files) = inventory.split_once("## The files").unwrap();
    let (files, _) = files.split_once("\n## ").unwrap();
    let named: BTreeSet<&str> = files
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .collect();
    let evening = Evening::passed();
    let mut unnamed = Vec::new();
    for (path, _) in &evening.files {
        let place = evening::place_of(path);
        if !named.contains(place.as_str()) {
            unnamed.push(path);
        }
    }
    assert!(unnamed.is_empty(), "not in the inventory: {unnamed:?}");
    assert!(evening.files.len() > 5, "{}", evening.files.len());
}

#[test]
fn asvs_16_2_4_every_line_is_an_object_of_one_form() {
    let evening = Evening::passed();
    let lines = log_lines(evening);
    assert!(!lines.is_empty());
    assert!(lines.iter().all(Value::is_object));
    for line in evening.export.lines() {
        let item: Value = serde_json::from_str(line).unwrap();
        assert!(
            item["index"].is_u64() && item["action"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn asvs_16_2_5_no_secret_is_in_any_log_answer_of_the_trail_or_file() {
    let evening = Evening::passed();
    assert!(evening.secrets.len() > 10, "{}", evening.secrets.len());
    let mut places: Vec<(String, &[u8])> = vec![
        ("the process log".to_owned(), evening.log.as_bytes()),
        ("the export".to_owned(), evening.export.as_bytes()),
    ];
    let items = Value::from(evening.items.clone()).to_string();
    places.push(("the trail".to_owned(), items.as_bytes()));
    for (path, bytes) in &evening.files {
        places.push((path.display().to_string(), bytes));
    }
    for secret in &evening.secrets {
        for (place, bytes) in &places {
            assert!(!contains(bytes, secret.as_bytes()), "a secret in {place}");
        }
    }
    // The reading finds what is there: a name that is no secret is in the database.
    let acme = |(_, bytes): &(_, Vec<u8>)| contains(bytes, b"acme");
    assert!(evening.files.iter().any(acme));
    assert!(!contains(evening.log.as_bytes(), SECRET_MARK.as_bytes()));
}

#[test]
fn asvs_16_3_1_what_was_tried_to_sign_in_is_in_the_trail() {
    let evening = Evening::passed();
    for (action, outcome) in [
        ("session.opened", "success"),
        ("session.refused", "denied"),
        ("session.refreshed", "success"),
        ("session.refresh_refused", "denied"),
        ("session.theft_detected", "denied"),
        ("session.closed", "success"),
        ("user.password_changed", "success"),
        ("user.password_change_refused", "denied"),
    ] {
        let found = |item: &&Value| item["action"] == action && item["outcome"] == outcome;
        assert!(evening.items.iter().any(|item| found(&item)), "{action}");
    }
}

#[test]
fn asvs_16_3_2_a_missing_permission_is_in_the_trail() {
    let evening = Evening::passed();
    let denied = |item: &&Value| {
        item["action"] == "access.denied"
            && item["outcome"] == "denied"
            && item["actor"]["id"] == evening.viewer.as_str()
    };
    assert!(evening.items.iter().any(|item| denied(&item)));
}

#[test]
fn asvs_16_3_4_what_fails_is_in_the_process_log() {
    let evening = Evening::passed();
    let lines = log_lines(evening);
    let of = |level: &str, message: &str| {
        let found = |line: &&Value| line["level"] == level && line["fields"]["message"] == message;
        lines.iter().find(found).cloned()
    };
    let sink = of("ERROR", "an audit sink stands still").expect("the sink's fault");
    let chain = sink["fields"]["chain"].as_str().unwrap();
    assert!(chain.contains(": "), "no cause: {chain}");
    assert!(of("WARN", "a worker complained").is_some());
}

#[test]
fn asvs_16_4_1_nobody_writes_a_line_of_their_own() {
    let evening = Evening::passed();
    // What they sent is there, inside of a line that is the server's.
    let lines = log_lines(evening);
    let complaint = lines
        .iter()
        .find(|line| line["fields"]["message"] == "a worker complained");
    let text = complaint.unwrap()["fields"]["worker"].as_str().unwrap();
    assert!(text.contains(FORGED), "{text}");
    let agent = |item: &Value| {
        item["user_agent"]
            .as_str()
            .unwrap_or_default()
            .contains(FORGED)
    };
    assert!(evening.items.iter().any(agent));
    // And no line, item or export of a log is theirs.
    for line in &lines {
        assert_ne!(line["fields"]["message"], FORGED);
    }
    let exported: Vec<Value> = evening
        .export
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (place, item) in exported.iter().enumerate() {
        assert_eq!(item["index"], place, "a line too many or too few");
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
