//! `plugin lint` and `plugin eval` through the built binary.
// Helpers of tests fail by panicking; clippy knows only `#[test]` functions.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn cyprob(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cyprob"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

#[test]
fn the_demo_scan_gives_the_expected_findings() {
    let output = cyprob(&[
        "plugin",
        "eval",
        "--facts",
        "assets/demo/scan.xml",
        "assets/plugins",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&output);
    // Eight plugins on six open ports.
    assert_eq!(lines.len(), 48);
    let found: BTreeSet<String> = lines
        .iter()
        .filter(|l| l["matched"] == true)
        .map(|l| {
            format!(
                "{} {}:{}",
                l["plugin"].as_str().unwrap(),
                l["target"].as_str().unwrap(),
                l["port"]
            )
        })
        .collect();
    let expected = [
        "cyprob-ftp-anonymous 192.0.2.20:21",
        "cyprob-http-missing-hsts 192.0.2.10:443",
        "cyprob-redis-open 192.0.2.20:6379",
        "cyprob-ssh-regresshion 192.0.2.10:22",
        "cyprob-ssh-weak-algorithms 192.0.2.10:22",
        "cyprob-telnet-open 192.0.2.20:23",
        "cyprob-tls-certificate 192.0.2.10:443",
        "cyprob-tls-old-version 192.0.2.10:443",
    ];
    assert_eq!(found, expected.into_iter().map(ToOwned::to_owned).collect());
    assert!(lines.iter().all(|l| l.get("error").is_none()));
    let finding = lines.iter().find_map(|l| l.get("finding")).unwrap();
    let keys: Vec<&str> = finding
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut want = [
        "target",
        "port",
        "plugin",
        "plugin_type",
        "severity",
        "message",
        "remediation",
        "cve",
        "cwe",
        "reference",
        "matched",
    ];
    want.sort_unstable();
    let mut keys = keys;
    keys.sort_unstable();
    assert_eq!(keys, want);
    let regresshion = lines
        .iter()
        .find(|l| l["plugin"] == "cyprob-ssh-regresshion" && l["matched"] == true)
        .unwrap();
    assert_eq!(
        regresshion["finding"]["message"]
            .as_str()
            .unwrap()
            .split(' ')
            .next(),
        Some("OpenSSH_9.2p1")
    );
    assert_eq!(regresshion["finding"]["cve"][0], "CVE-2024-6387");
}

#[test]
fn our_own_plugins_have_no_diagnostics() {
    let output = cyprob(&["plugin", "lint", "assets/plugins"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        "8 of 8 files loaded: 9 triggers, 12 rules; 0 errors, 0 warnings, 0 infos\n"
    );
}

#[test]
fn a_broken_file_is_a_line_and_the_others_run() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a-broken.yaml"), "name: &x [\n").unwrap();
    fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/plugins/telnet-open.yaml"),
        dir.path().join("b.yaml"),
    )
    .unwrap();
    let facts = dir.path().join("f.jsonl");
    fs::write(
        &facts,
        "{\"target\":\"h\",\"port\":23,\"facts\":{\"service.name\":\"telnet\"}}\n",
    )
    .unwrap();
    let (dir_text, facts_text) = (dir.path().to_str().unwrap(), facts.to_str().unwrap());
    let output = cyprob(&["plugin", "eval", "--facts", facts_text, dir_text]);
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&output);
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (
            &lines[0]["plugin"],
            &lines[0]["target"],
            &lines[0]["matched"]
        ),
        (&"a-broken".into(), &Value::Null, &false.into())
    );
    assert!(
        lines[0]["error"]
            .as_str()
            .unwrap()
            .starts_with("1:7 anchor")
    );
    assert_eq!(lines[1]["matched"], true);

    let output = cyprob(&["plugin", "lint", "--format", "json", dir_text]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let d = &report["files"][0]["diagnostics"][0];
    assert_eq!(
        (&d["code"], &d["severity"], &d["line"], &d["column"]),
        (&"anchor".into(), &"error".into(), &1.into(), &7.into())
    );
    assert_eq!(report["summary"]["loaded"], 1);

    let output = cyprob(&["plugin", "lint", "--format", "sarif", dir_text]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (
            &report["version"],
            &report["runs"][0]["results"][0]["level"]
        ),
        (&"2.1.0".into(), &"error".into())
    );
}

#[test]
fn wrong_use_is_status_two() {
    for args in [
        &["plugin", "lint"][..],
        &["plugin", "lint", "no-such-file.yaml"],
        &["plugin", "lint", "src"],
        &["plugin", "lint", "--format", "xml", "assets/plugins"],
        &["plugin", "eval", "assets/plugins"],
        &[
            "plugin",
            "eval",
            "--facts",
            "no-such-file",
            "assets/plugins",
        ],
        &["plugin", "eval", "--facts", "Cargo.toml", "assets/plugins"],
        &["plugin"],
    ] {
        let output = cyprob(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}

/// What is not a regular file is not opened: a pipe would wait for ever.
#[cfg(unix)]
#[test]
fn devices_are_not_read_as_plugins() {
    let output = cyprob(&["plugin", "lint", "/dev/zero"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("unreadable")
    );
}
