//! Rotations: alone, killed, and beside a server; what the audit trail has of it all.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cyprob::secrets::ports::SecretProvider as _;
use serde_json::Value;

use crate::data::{Data, VALUE, secrets};
use crate::support::database::block_on;
use crate::support::server::CYPROB;
use crate::support::world::{PASSWORD, found, login};
use crate::support::{Client, Server};

#[test]
fn rotations_say_what_they_did_and_keep_the_old_master_key() {
    let data = Data::new();
    data.put("a", VALUE);
    let (old, sealed) = (data.master_keys(), data.data_keys());
    let (out, _) = data.ends(0, &["rotate", "--master-key"], b"");
    assert!(out.contains("the master key is replaced"), "{out}");
    let kept = out.split("is kept in ").nth(1).unwrap();
    let kept = kept.split(": remove it").next().unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap().trim(), old[0]);
    assert_eq!(data.data_keys(), sealed);
    fs::remove_file(kept).unwrap();
    assert_eq!(data.get("a"), VALUE.as_bytes());
    let (out, _) = data.ends(0, &["rotate", "--data-key"], b"");
    assert!(out.contains("4 now, 0 already"), "{out}");
    assert_eq!(data.data_keys().len(), 1);
    assert_ne!(data.data_keys(), sealed);
    let (out, _) = data.ends(0, &["rotate", "--data-key", "--master-key"], b"");
    assert_eq!(out.lines().count(), 3, "{out}");
    assert_eq!(data.get("a"), VALUE.as_bytes());
}

#[test]
fn a_damaged_value_is_status_1_and_a_store_that_does_not_open_status_3() {
    let data = Data::new();
    data.put("a", VALUE);
    data.put("b", VALUE);
    let path = data.path().join("secrets/a@1");
    let good = fs::read(&path).unwrap();
    fs::write(&path, &good[..good.len() - 1]).unwrap();
    let (out, err) = data.ends(1, &["get", "a"], b"");
    assert!(
        out.is_empty() && err.contains("secret a version 1"),
        "{err}"
    );
    let (_, err) = data.ends(1, &["rotate", "--data-key"], b"");
    assert!(err.contains("secret a version 1"), "{err}");
    assert_eq!(data.get("b"), VALUE.as_bytes());
    fs::write(&path, good).unwrap();
    data.ends(0, &["rotate", "--data-key"], b"");
    assert_eq!(data.get("a"), VALUE.as_bytes());
    fs::write(data.path().join("master-key"), "5".repeat(63) + "6\n").unwrap();
    data.ends(3, &["get", "a"], b"");
}

#[test]
fn a_rotation_killed_anywhere_is_finished_by_the_next() {
    let data = Data::new();
    for number in 0..60 {
        data.put(&format!("many/{number}"), VALUE);
    }
    let files = 2 * 61;
    let (mut halfway, mut delay) = (0, Duration::from_millis(4));
    while halfway < 3 {
        let mut command = Command::new(CYPROB);
        command.args(["secrets", "rotate", "--data-key", "--data"]);
        command.arg(data.path()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
        // Longer each time, so that it comes to every part of the work.
        delay = delay.mul_f32(1.2);
        assert!(delay < Duration::from_secs(60), "never halfway");
        halfway += usize::from(data.data_keys().len() == 2);
        for number in [0, 30, 59] {
            assert_eq!(data.get(&format!("many/{number}")), VALUE.as_bytes());
        }
    }
    let between = data.data_keys();
    assert_eq!(between.len(), 2);
    let (out, _) = data.ends(0, &["rotate", "--data-key"], b"");
    let number = |word: &str| -> u64 {
        let before = out.split(&format!(" {word}")).next().unwrap();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(number("now") + number("already"), files, "{out}");
    assert!(number("now") > 0 && number("already") > 0, "{out}");
    let after = data.data_keys();
    assert!(after.len() == 1 && between.contains(&after[0]));
    let store = data.store();
    for number in 0..60 {
        let reference = format!("local://many/{number}").parse().unwrap();
        assert!(block_on(store.read(&reference)).unwrap().is_some());
    }
}

/// The commands of operators in the system's trail, in order of their names.
fn commands(client: &Client, token: &str) -> Vec<String> {
    let path = "/api/v1/system/audit?limit=100&action=admin.command";
    let answer = client.get(path, token).expect(200);
    let text = String::from_utf8_lossy(&answer.body);
    assert!(!text.contains(VALUE));
    let items = answer.json()["items"].as_array().unwrap().clone();
    let mut commands: Vec<_> = items
        .iter()
        .inspect(|item| assert_eq!(item["actor"]["kind"], "operator"))
        .map(|item| item["metadata"]["command"].clone())
        .map(|command| match command {
            Value::String(text) => text,
            other => other["value"].as_str().unwrap().to_owned(),
        })
        .collect();
    commands.sort_unstable();
    commands
}

#[track_caller]
fn recorded(client: &Client, token: &str, noted: &[&str]) {
    let begun = Instant::now();
    while commands(client, token) != noted {
        let told = commands(client, token);
        assert!(begun.elapsed() < Duration::from_secs(12), "{told:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_cannot_be_noted_is_not_done() {
    let data = Data::new();
    data.put("a", "one");
    fs::create_dir(data.path().join("operator-journal")).unwrap();
    let keys = data.master_keys();
    for arguments in [
        &["get", "a"][..],
        &["put", "a", "--expect-version", "1"],
        &["rotate", "--master-key"],
        &["rotate", "--data-key"],
    ] {
        let (out, err) = data.ends(3, arguments, VALUE.as_bytes());
        assert_eq!(out, "");
        assert!(err.contains("cannot be noted for the audit trail"), "{err}");
    }
    fs::remove_dir(data.path().join("operator-journal")).unwrap();
    assert_eq!((data.get("a"), data.master_keys()), (b"one".to_vec(), keys));
    assert_eq!(data.data_keys().len(), 1);
    // No server runs: it waits.
    let noted = fs::read_to_string(data.path().join("operator-journal")).unwrap();
    assert_eq!(noted.lines().count(), 1);
    assert!(
        noted.contains("\"a version 1\"") && !noted.contains(VALUE),
        "{noted}"
    );
}

#[test]
fn a_server_that_runs_notices_no_rotation_and_starts_again_after_it() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = Server::start(&data);
    found(&server, "root@example.com");
    let client = server.client();
    let run = |arguments: &[&str]| {
        let output = secrets(&data, arguments, VALUE.as_bytes());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["put", "db/password"]);
    run(&["rotate", "--master-key", "--data-key"]);
    login(&client, "root@example.com", PASSWORD, None).expect(200);
    // Its handle is from before, and the ring of keys is another: it follows.
    let mut keys = Command::new(CYPROB);
    keys.args(["admin", "keys", "rotate", "--ring", "user", "--data"]);
    assert!(keys.arg(&data).output().unwrap().status.success());
    run(&["rotate", "--master-key", "--data-key"]);
    let begun = Instant::now();
    while client.call("GET", "/.well-known/cyprob", None, None).json()["token_keys"]
        .as_array()
        .unwrap()
        .len()
        < 2
    {
        assert!(begun.elapsed() < Duration::from_secs(12));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(run(&["get", "db/password"]), VALUE);
    let root = login(&client, "root@example.com", PASSWORD, None).expect(200);
    let root = root.json()["access_token"].as_str().unwrap().to_owned();
    let rotations = ["secrets rotate --data-key", "secrets rotate --master-key"];
    let mut noted: Vec<_> = [rotations, rotations].concat();
    noted.extend(["secrets get", "secrets put"]);
    noted.sort_unstable();
    recorded(&client, &root, &noted);
    let left = fs::read(data.join("operator-journal")).unwrap();
    assert!(left.is_empty());
    assert!(!server.said("token keys are not up to date"));
    assert!(server.interrupt().success());
    // What is done while no server runs is in the trail once one does.
    assert_eq!(run(&["get", "db/password"]), VALUE);
    let server = Server::start(&data);
    let client = server.client();
    login(&client, "root@example.com", PASSWORD, None).expect(200);
    noted.insert(0, "secrets get");
    recorded(&client, &root, &noted);
}
