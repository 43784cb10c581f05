//! `cyprob token attenuate`, as a process of its own.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use super::server::CYPROB;

pub(crate) fn attenuate(token: &str, args: &[&str]) -> Output {
    let mut child = Command::new(CYPROB)
        .args(["token", "attenuate"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // What is refused for its arguments alone is not read.
    let _ = stdin.write_all(token.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// The narrower token.
pub(crate) fn narrowed(token: &str, args: &[&str]) -> String {
    let output = attenuate(token, args);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
