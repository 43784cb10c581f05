//! The hostile set through `plugin lint`: diagnosed with position, in bounded
//! memory and time.
// Helpers of tests fail by panicking; clippy knows only `#[test]` functions.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

#[allow(unreachable_pub)] // public where it is at home
#[path = "../../../cyprob-plugins/src/testkit/hostile.rs"]
mod hostile;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Peak resident memory of one run, in KiB.
const MEMORY_KIB: u64 = 32 * 1024;
/// What one file may take beyond a benign one, in an optimized build.
const STATED: Duration = Duration::from_millis(50);
/// How often each file is run; the fastest run counts.
const RUNS: usize = 3;

struct Run {
    status: Option<i32>,
    stdout: String,
    took: Duration,
    /// Peak resident memory, when it could be seen.
    peak_kib: Option<u64>,
}

/// Runs the linter with at most 32 MiB of writable memory: an allocation
/// beyond it fails and ends the process with a signal.
#[allow(clippy::disallowed_methods)] // measures another process
fn lint(file: &Path) -> Run {
    let start = Instant::now();
    let mut child = Command::new("/bin/sh")
        .args([
            "-c",
            &format!("ulimit -d {MEMORY_KIB} && exec \"$@\"",),
            "sh",
        ])
        .arg(env!("CARGO_BIN_EXE_cyprob"))
        .args(["plugin", "lint", "--format", "json"])
        .arg(file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The kernel keeps the peak; asking often sees the last value before the end.
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = None;
    let mut stdout = String::new();
    let mut pipe = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        use std::io::Read as _;
        pipe.read_to_string(&mut stdout).map(|_| stdout)
    });
    let exit = loop {
        let seen = fs::read_to_string(&status).ok().and_then(|text| {
            let named = text.starts_with("Name:\tcyprob");
            let line = text
                .lines()
                .find_map(|l| l.strip_prefix("VmHWM:").map(ToOwned::to_owned));
            line.filter(|_| named)?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse::<u64>()
                .ok()
        });
        peak_kib = peak_kib.max(seen);
        if let Some(exit) = child.try_wait().unwrap() {
            break exit;
        }
    };
    Run {
        status: exit.code(),
        took: start.elapsed(),
        stdout: reader.join().unwrap().unwrap(),
        peak_kib,
    }
}

fn best(file: &Path) -> Run {
    let mut best = lint(file);
    for _ in 1..RUNS {
        let next = lint(file);
        best.peak_kib = best.peak_kib.max(next.peak_kib);
        best.took = best.took.min(next.took);
    }
    best
}

#[test]
fn each_hostile_file_is_diagnosed_within_its_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(format!("{name}.yaml"));
        fs::write(&path, bytes).unwrap();
        path
    };
    let benign = best(&write("benign", &hostile::benign()));
    assert_eq!(benign.status, Some(0), "{}", benign.stdout);
    println!("benign: {:?}, {:?} KiB", benign.took, benign.peak_kib);
    // Without optimization everything takes several times longer.
    let stated = if cfg!(debug_assertions) {
        STATED * 20
    } else {
        STATED
    };
    let files = hostile::files();
    let (mut slowest, mut largest) = (Duration::ZERO, 0);
    for file in &files {
        let path = write(file.name, &file.bytes);
        let run = best(&path);
        let report: Value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|_| panic!("{}: ended with {:?} and no report", file.name, run.status));
        let diagnostics = report["files"][0]["diagnostics"].as_array().unwrap();
        let found = diagnostics
            .iter()
            .any(|d| d["code"] == file.code && d["line"] == file.at.0 && d["column"] == file.at.1);
        assert!(found, "{}: {diagnostics:?}", file.name);
        let error = diagnostics.iter().any(|d| d["severity"] == "error");
        assert_eq!(run.status, Some(i32::from(error)), "{}", file.name);
        let beyond = run.took.saturating_sub(benign.took);
        println!(
            "{:20} {:9} bytes  {:>8.1} ms  {:>6} KiB  {} at {:?}",
            file.name,
            file.bytes.len(),
            run.took.as_secs_f64() * 1000.0,
            run.peak_kib
                .map_or_else(|| "?".to_owned(), |k| k.to_string()),
            file.code,
            file.at
        );
        assert!(
            beyond <= stated,
            "{}: {beyond:?} beyond a benign file",
            file.name
        );
        assert!(
            run.peak_kib.is_none_or(|k| k <= MEMORY_KIB),
            "{}: {:?} KiB",
            file.name,
            run.peak_kib
        );
        slowest = slowest.max(beyond);
        largest = largest.max(run.peak_kib.unwrap_or(0));
        fs::remove_file(path).unwrap();
    }
    println!(
        "{} files: at most {slowest:?} beyond a benign one, at most {largest} KiB seen",
        files.len()
    );
}

/// The bound on memory is real: a process that needs more does not end well.
#[test]
fn the_memory_bound_can_fail() {
    let output = Command::new("/bin/sh")
        .args(["-c", "ulimit -d 100 && exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_cyprob"))
        .args(["plugin", "lint", env!("CARGO_MANIFEST_DIR")])
        .output()
        .unwrap();
    assert!(
        !matches!(output.status.code(), Some(0..=2)),
        "{:?}",
        output.status
    );
}
