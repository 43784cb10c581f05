//! `cyprob secrets`: the data directory's secrets, with and without a server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test"
)]

#[path = "secrets/pty.rs"]
mod pty;
mod support;

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cyprob::core::adapters::system::{SystemClock, SystemEntropy};
use cyprob::core::ports::Clock as _;
use cyprob::secrets::adapters::local::{KeySource, LocalStore};
use cyprob::secrets::domain::SecretValue;
use cyprob::secrets::ports::{Expected, SecretProvider as _, SecretStore as _};
use serde_json::{Value, json};
use support::Server;
use support::database::block_on;
use support::server::CYPROB;
use support::world::{PASSWORD, found, login};
use tempfile::TempDir;

const VALUE: &str = "canary-of-secrets-4711";

/// A data directory with a store, as `serve` leaves one.
struct Data(TempDir);

impl Data {
    fn new() -> Self {
        let data = Self(tempfile::tempdir().unwrap());
        fs::create_dir(data.path()).unwrap();
        fs::set_permissions(data.path(), Permissions::from_mode(0o700)).unwrap();
        data.put("keys/user-token", "0123456789abcdef0123456789abcdef");
        data
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn store(&self) -> LocalStore {
        let key = KeySource::File(self.path().join("master-key"));
        LocalStore::open(&self.path().join("secrets"), key, Arc::new(SystemEntropy)).unwrap()
    }

    fn put(&self, name: &str, value: &str) {
        let value = SecretValue::new(value.as_bytes().to_vec()).unwrap();
        let name = name.parse().unwrap();
        let store = self.store();
        block_on(store.put(&name, &value, Expected::Absent, SystemClock.now())).unwrap();
    }

    fn secrets(&self, arguments: &[&str], input: &[u8]) -> Output {
        secrets(&self.path(), arguments, input)
    }

    /// Runs a command that must end so; it must not show the value, wherever it fails.
    #[track_caller]
    fn ends(&self, status: i32, arguments: &[&str], input: &[u8]) -> (String, String) {
        let output = self.secrets(arguments, input);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{out} {err}");
        for told in [&out, &err] {
            assert!(!told.contains(VALUE), "{told}");
            for key in self.master_keys() {
                assert!(!told.contains(&key), "{told}");
            }
        }
        (out, err)
    }

    /// Every master key that lies in the data directory, as its digits.
    fn master_keys(&self) -> Vec<String> {
        let files = fs::read_dir(self.path()).unwrap().map(Result::unwrap);
        let keys = files.filter(|file| {
            let name = file.file_name();
            name.to_str().unwrap().starts_with("master-key")
        });
        keys.map(|file| fs::read_to_string(file.path()).unwrap().trim().to_owned())
            .collect()
    }

    #[track_caller]
    fn get(&self, reference: &str) -> Vec<u8> {
        let output = self.secrets(&["get", reference], b"");
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        output.stdout
    }

    /// Which data keys the sealed values and lists name.
    fn data_keys(&self) -> Vec<[u8; 8]> {
        let files = fs::read_dir(self.path().join("secrets")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let sealed = files.filter(|path| path.to_str().unwrap().contains('@'));
        let mut keys: Vec<_> = sealed
            .map(|path| fs::read(path).unwrap()[6..14].try_into().unwrap())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

fn secrets(data: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(CYPROB);
    command.arg("secrets").args(arguments);
    command.arg("--data").arg(data);
    command.env("CYPROB_TEST_SECRET", VALUE);
    command.stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

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
    let elsewhere = data.0.path().join("elsewhere");
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
    let file = data.0.path().join("file");
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
    let begun = std::time::Instant::now();
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
    assert!(!server.said("token keys are not up to date"));
    assert!(server.interrupt().success());
    let server = Server::start(&data);
    let client = server.client();
    login(&client, "root@example.com", PASSWORD, None).expect(200);
}
