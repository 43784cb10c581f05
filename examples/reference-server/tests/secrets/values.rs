//! Values: put, got, listed, and refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use cyprob::secrets::domain::SecretValue;
use serde_json::{Value, json};

use crate::data::{Data, VALUE, secrets};
use crate::pty;
use crate::support::server::CYPROB;

#[test]
fn what_is_put_is_got_byte_for_byte_and_shown_nowhere_else() {
    let data = Data::new();
    let value = VALUE.as_bytes();
    let (out, err) = data.ends(0, &["put", "db/password"], value);
    assert_eq!(
        (out.as_str(), err.as_str()),
        ("db/password version 1\n", "")
    );
    let binary: Vec<u8> = (0..=255).chain(*b"\r\n").collect();
    let (out, _) = data.ends(0, &["put", "db/password", "--expect-version", "1"], &binary);
    assert_eq!(out, "db/password version 2\n");
    assert_eq!(data.get("db/password"), binary);
    assert_eq!(data.get("local://db/password"), binary);
    assert_eq!(data.get("local://db/password?version=1"), value);
    data.ends(0, &["put", "a"], &vec![7; SecretValue::MAX_LEN]);
    assert_eq!(data.get("a").len(), SecretValue::MAX_LEN);

    let (table, _) = data.ends(0, &["list"], b"");
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["name", "versions"]);
    assert_eq!(lines[1], ["a", "1"]);
    assert_eq!(lines[2], ["db/password", "1-2"]);
    assert_eq!(lines[3][..2], ["keys/user-token", "1"]);
    let (listed, _) = data.ends(0, &["list", "--json"], b"");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let secret = |name: &str, versions: &[u64], own: bool| json!({ "name": name, "versions": versions, "deployment_key": own });
    let all = [
        secret("a", &[1], false),
        secret("db/password", &[1, 2], false),
        secret("keys/user-token", &[1], true),
    ];
    assert_eq!(listed, json!({ "secrets": all }));
}

#[test]
fn a_value_is_superseded_only_by_who_knows_the_newest_version() {
    let data = Data::new();
    let value = VALUE.as_bytes();
    let (_, err) = data.ends(2, &["put", "a", "--expect-version", "1"], value);
    assert!(err.contains("there is no value yet"), "{err}");
    data.ends(0, &["put", "a"], b"one");
    for expected in ["absent", "2"] {
        let (_, err) = data.ends(2, &["put", "a", "--expect-version", expected], value);
        assert!(
            err.contains("say --expect-version 1 to put the next"),
            "{err}"
        );
    }
    data.ends(2, &["put", "a"], value);
    assert_eq!(data.get("a"), b"one");
    for bad in ["0", "-1", "newest", "01", ""] {
        data.ends(2, &["put", "a", "--expect-version", bad], value);
    }
}

#[test]
fn what_cannot_be_is_status_2_and_changes_nothing() {
    let data = Data::new();
    for name in ["", "A", "../a", "a//b", "a@1", "/a", "a b", "local://a"] {
        let (_, err) = data.ends(2, &["put", name], VALUE.as_bytes());
        assert!(!err.is_empty());
    }
    for (input, told) in [
        (vec![], "the secret is empty"),
        (
            vec![b'x'; SecretValue::MAX_LEN + 1],
            "longer than 65536 bytes",
        ),
    ] {
        let (_, err) = data.ends(2, &["put", "a"], &input);
        assert!(err.contains(told), "{err}");
    }
    // The value is never an argument.
    data.ends(2, &["put", "a", "hunter2"], b"");
    for (reference, told) in [
        ("a", "no such secret: local://a"),
        ("local://keys?version=0", "version"),
        ("vault://kv/a#b", "no provider for vault references"),
        ("awssm://a", "no provider for awssm references"),
        ("http://a", "scheme"),
        ("env://PATH", "allowed prefix"),
        ("env://CYPROB_NO_SUCH", "no such secret"),
        ("file:///no/such/file", "no such secret"),
    ] {
        let (out, err) = data.ends(2, &["get", reference], b"");
        assert_eq!(out, "");
        assert!(err.contains(told), "{reference}: {err}");
    }
    let (table, _) = data.ends(0, &["list"], b"");
    assert_eq!(table.lines().count(), 2, "{table}");
    data.ends(2, &["rotate"], b"");
    // Looking makes no deployment.
    let elsewhere = data.home().join("elsewhere");
    for arguments in [&["list"][..], &["get", "a"], &["rotate", "--data-key"]] {
        let output = secrets(&elsewhere, arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        fs::create_dir_all(&elsewhere).unwrap();
        fs::set_permissions(&elsewhere, Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn references_to_files_and_the_environment_resolve_as_in_a_configuration() {
    let data = Data::new();
    let file = data.home().join("file");
    fs::write(&file, VALUE).unwrap();
    let reference = format!("file://{}", file.display());
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let (_, err) = data.ends(2, &["get", &reference], b"");
    assert!(err.contains("chmod go="), "{err}");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(data.get(&reference), VALUE.as_bytes());
    assert_eq!(data.get("env://CYPROB_TEST_SECRET"), VALUE.as_bytes());
}

#[test]
fn the_keys_of_the_deployment_are_touched_only_by_who_says_so() {
    let data = Data::new();
    let before = data.secrets(&["get", "keys/user-token", "--deployment-keys"], b"");
    assert!(before.status.success());
    for arguments in [
        &["get", "keys/user-token"][..],
        &["get", "local://keys/user-token?version=1"],
        &["get", "keys"],
        &["put", "keys/user-token", "--expect-version", "1"],
        &["put", "keys/new"],
    ] {
        let (out, err) = data.ends(2, arguments, VALUE.as_bytes());
        assert_eq!(out, "");
        assert!(err.contains("a key of the deployment itself"), "{err}");
    }
    let after = data.secrets(&["get", "keys/user-token", "--deployment-keys"], b"");
    assert_eq!(after.stdout, before.stdout);
    let put = ["put", "keys/user-token", "--expect-version", "1"];
    data.ends(0, &[&put[..], &["--deployment-keys"]].concat(), b"another");
    // A name that only looks like one is an ordinary secret.
    data.ends(0, &["put", "keysmith/a"], VALUE.as_bytes());
}

#[test]
fn a_terminal_shows_no_value_unless_it_is_told_to() {
    let data = Data::new();
    data.put("a", VALUE);
    let command = |arguments: &[&str]| {
        let mut command = Command::new(CYPROB);
        command.arg("secrets").args(arguments);
        command.arg("--data").arg(data.path());
        command
    };
    let (status, shown) = pty::run(command(&["get", "a"]), &[]);
    assert_eq!(status.code(), Some(2), "{shown}");
    assert!(
        shown.contains("--reveal") && !shown.contains(VALUE),
        "{shown}"
    );
    let (status, shown) = pty::run(command(&["get", "a", "--reveal"]), &[]);
    assert!(status.success() && shown.contains(VALUE), "{shown}");

    let twice = [("value of b: ", VALUE), ("the same again: ", VALUE)];
    let (status, shown) = pty::run(command(&["put", "b"]), &twice);
    assert!(status.success(), "{shown}");
    assert!(
        shown.contains("b version 1") && !shown.contains(VALUE),
        "{shown}"
    );
    assert_eq!(data.get("b"), VALUE.as_bytes());
    for (typed, told) in [
        ("another", "the two values differ"),
        ("\x03", "nothing is stored"),
    ] {
        let different = [("value of c: ", VALUE), ("the same again: ", typed)];
        let (status, shown) = pty::run(command(&["put", "c"]), &different);
        assert_eq!(status.code(), Some(2), "{shown}");
        assert!(shown.contains(told) && !shown.contains(VALUE), "{shown}");
    }
    data.ends(2, &["get", "c"], b"");
}
