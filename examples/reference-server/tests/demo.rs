//! `cyprob demo` from outside: whole, and damaged without any help from the program.
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

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const CYPROB: &str = env!("CARGO_BIN_EXE_cyprob");

fn demo(arguments: &[&str]) -> Child {
    let mut command = Command::new(CYPROB);
    command.args(["demo", "--exit"]).args(arguments);
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs it to its end: the status and the name of the step that failed.
fn end(mut child: Child, lines: impl Iterator<Item = String>) -> (i32, Option<String>) {
    let failed = lines.filter_map(|line| {
        let rest = line.strip_prefix("[FAILED]")?.trim_start();
        let (_, rest) = rest.split_once(' ')?;
        Some(rest.split_once(':')?.0.to_owned())
    });
    let failed = failed.last();
    (child.wait().unwrap().code().unwrap_or(-1), failed)
}

fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(|line| line.unwrap())
}

#[test]
fn every_step_holds() {
    let mut child = demo(&[]);
    let printed: Vec<String> = lines(&mut child).collect();
    let held = printed
        .iter()
        .filter(|line| line.starts_with("[held]"))
        .count();
    let made = printed
        .iter()
        .find_map(|line| line.trim().strip_prefix('/'))
        .unwrap();
    let (status, failed) = end(child, printed.clone().into_iter());
    assert_eq!((status, failed), (0, None), "{}", printed.join("\n"));
    assert!(held >= 15, "{}", printed.join("\n"));
    assert!(
        !Path::new("/").join(made).exists(),
        "its own directory is removed"
    );
}

#[test]
fn a_worker_that_is_no_worker_fails_the_run() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    std::fs::write(&config, "worker_command = [\"/bin/false\"]").unwrap();
    let mut child = demo(&["--config", config.to_str().unwrap()]);
    let printed = lines(&mut child);
    assert_eq!(end(child, printed), (1, Some("run".to_owned())));
}

#[test]
fn a_directory_that_cannot_be_written_fails_at_once() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o500)).unwrap();
    let mut child = demo(&["--data", data.to_str().unwrap()]);
    let printed = lines(&mut child);
    assert_eq!(end(child, printed), (1, Some("data directory".to_owned())));

    let full = home.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::set_permissions(&full, PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::write(full.join("something"), "").unwrap();
    let mut child = demo(&["--data", full.to_str().unwrap()]);
    let printed = lines(&mut child);
    assert_eq!(end(child, printed), (1, Some("data directory".to_owned())));
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(child.id().to_string())
        .status();
    assert!(status.unwrap().success());
}

/// The files below a directory, those last written last.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Stops the demo behind a step, flips one byte in the newest such file of a log, and lets it go on.
fn damaged(behind: &str, part: &str) -> (i32, Option<String>) {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut child = demo(&["--data", data.to_str().unwrap()]);
    let mut printed = lines(&mut child);
    let step = printed.find(|line| line.starts_with("[held]") && line.contains(behind));
    assert!(step.is_some(), "no step {behind}");
    signal(&child, "STOP");
    let mut found = Vec::new();
    for log in std::fs::read_dir(data.join("audit")).unwrap() {
        let part = log.unwrap().path().join(part);
        if part.exists() {
            files(&part, &mut found);
        }
    }
    found.sort_by_key(|path| path.metadata().unwrap().modified().unwrap());
    let file = found.last().unwrap();
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
    signal(&child, "CONT");
    end(child, printed)
}

#[test]
fn one_flipped_byte_fails_the_verification() {
    for behind in [" run:", " isolation of findings:", " audit query:"] {
        for part in ["tile/0", "tile/entries"] {
            let (status, failed) = damaged(behind, part);
            let expected = (1, Some("audit verification".to_owned()));
            assert_eq!((status, failed), expected, "{part} behind {behind}");
        }
    }
}
