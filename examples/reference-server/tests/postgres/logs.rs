//! The published logs, judged as a stranger judges them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::Client;
use crate::support::server::CYPROB;

/// The deployment's verifier key, as it is published.
pub(crate) fn key(client: &Client, token: &str) -> String {
    let known = client.get("/.well-known/cyprob", token).expect(200).json();
    known["audit"]["deployment"]["vkey"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Waits until so many logs were published, at most twenty seconds.
pub(crate) fn appear(data: &Path, count: usize) {
    let there = || std::fs::read_dir(data.join("audit")).map_or(0, Iterator::count);
    let begun = Instant::now();
    while there() < count && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Every log holds, and there are so many.
pub(crate) fn hold(data: &Path, key: &str, count: usize) {
    let logs: Vec<_> = std::fs::read_dir(data.join("audit")).unwrap().collect();
    assert_eq!(logs.len(), count);
    for log in logs {
        let output = Command::new(CYPROB)
            .args(["audit", "verify", "--key", key])
            .arg(log.unwrap().path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
    }
}
