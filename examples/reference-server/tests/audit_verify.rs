//! `cyprob audit verify`, as a process, on logs made through the facade alone.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, where a panic is the report"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use cyprob::audit::adapters::directory::DirectoryLog;
use cyprob::audit::domain::{Checkpoint, KeyName, LogSigner, TreeTail, WitnessSigner};
use cyprob::audit::service::prove_entry;
use cyprob::core::adapters::system::SystemClock;
use cyprob::core::domain::Timestamp;
use cyprob::core::ports::Clock as _;
use secrecy::SecretBox;

const ORIGIN: &str = "audit.example.com/system";

struct Log {
    directory: tempfile::TempDir,
    signer: LogSigner,
    witness: WitnessSigner,
    root: String,
}

impl Log {
    /// A log of 300 entries, signed now and cosigned.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let seed = |n| SecretBox::new(Box::new([n; 32]));
        let origin: KeyName = ORIGIN.parse().unwrap();
        let signer = LogSigner::from_seed(origin.clone(), &seed(1));
        let witness = WitnessSigner::from_seed("witness.example".parse().unwrap(), &seed(2));
        let entries: Vec<_> = (0..300)
            .map(|n| format!("entry {n}").into_bytes())
            .collect();
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let mut tail = TreeTail::empty();
        for file in tail.append(&entries).unwrap() {
            let path = directory.path().join(file.path.to_string());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.bytes).unwrap();
        }
        let now = SystemClock.now();
        let head = Checkpoint::new(origin, tail.size(), tail.root()).signed_at(now);
        let line = witness.cosign(&head.to_text(), now);
        let signed = head.sign(&signer).unwrap() + &line;
        fs::write(directory.path().join("checkpoint"), signed).unwrap();
        let root = tail.root().to_string();
        Self {
            directory,
            signer,
            witness,
            root,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn key(&self) -> String {
        self.signer.verifier().to_string()
    }

    fn verify(&self, target: &Path, more: &[&str]) -> (i32, String) {
        let key = self.key();
        let target = target.to_str().unwrap();
        run(&[&["audit", "verify", target, "--key", &key], more].concat())
    }
}

fn run(args: &[&str]) -> (i32, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_cyprob"))
        .args(args)
        .output()
        .unwrap();
    let text = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.code().unwrap(), text)
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn an_intact_log_holds() {
    let log = Log::new();
    let (status, text) = log.verify(log.path(), &[]);
    assert_eq!(status, 0, "{text}");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], format!("log           {ORIGIN}"));
    assert_eq!(lines[1], "entries       300");
    assert_eq!(lines[2], format!("root          {}", log.root));
    assert_eq!(
        lines[4..],
        [
            "integrity     held",
            "completeness  held",
            "freshness     not judged",
            "witnessed     not judged"
        ]
    );
    let witness = log.witness.verifier().to_string();
    let (status, text) = log.verify(log.path(), &["--max-age", "600", "--witness", &witness]);
    assert_eq!(status, 0, "{text}");
    assert!(
        text.ends_with("freshness     held\nwitnessed     held\n"),
        "{text}"
    );
}

#[test]
fn each_verdict_has_its_status() {
    let log = Log::new();
    for file in [
        "checkpoint",
        "tile/0/000",
        "tile/entries/001.p/44",
        "tile/1/000.p/1",
    ] {
        let before = fs::read(log.path().join(file)).unwrap();
        flip(&log.path().join(file));
        let (status, text) = log.verify(log.path(), &[]);
        assert_eq!(status, 10, "{file}: {text}");
        assert!(text.contains("integrity     FAILED\n"), "{text}");
        fs::write(log.path().join(file), before).unwrap();
    }
    let bundle = log.path().join("tile/entries/000");
    let before = fs::read(&bundle).unwrap();
    fs::remove_file(&bundle).unwrap();
    let (status, text) = log.verify(log.path(), &[]);
    assert_eq!(status, 11, "{text}");
    assert!(
        text.contains("  tile/entries/000: missing, with entries 0 to 255\n"),
        "{text}"
    );
    fs::write(bundle, before).unwrap();
    let other = WitnessSigner::from_seed(
        "witness.example".parse().unwrap(),
        &SecretBox::new(Box::new([3; 32])),
    );
    let (status, text) = log.verify(log.path(), &["--witness", &other.verifier().to_string()]);
    assert_eq!(status, 13, "{text}");
    let old = Checkpoint::parse_text(&format!("{ORIGIN}\n300\n{}\n", log.root))
        .unwrap()
        .signed_at(Timestamp::from_seconds(1_700_000_000));
    fs::write(
        log.path().join("checkpoint"),
        old.sign(&log.signer).unwrap(),
    )
    .unwrap();
    let (status, text) = log.verify(log.path(), &["--max-age", "600"]);
    assert_eq!(status, 12, "{text}");
    assert_eq!(log.verify(log.path(), &[]).0, 0);
}

#[test]
fn a_proof_stands_alone() {
    let log = Log::new();
    let files = DirectoryLog::open(log.path()).unwrap();
    let (proof, entry) = prove_entry(&files, log.signer.verifier(), 299).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let proof_path = directory.path().join("299.tlog-proof");
    let entry_path = directory.path().join("entry");
    fs::write(&proof_path, proof.encode()).unwrap();
    fs::write(&entry_path, &entry).unwrap();
    let with_entry = ["--entry", entry_path.to_str().unwrap()];
    let (status, text) = log.verify(&proof_path, &with_entry);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("completeness  not judged"), "{text}");
    flip(&entry_path);
    assert_eq!(log.verify(&proof_path, &with_entry).0, 10);
    fs::write(&entry_path, &entry).unwrap();
    flip(&proof_path);
    let (status, text) = log.verify(&proof_path, &with_entry);
    assert_eq!(status, 10, "{text}");
    fs::write(&proof_path, vec![b'\n'; 1 << 20]).unwrap();
    assert_eq!(log.verify(&proof_path, &with_entry).0, 10);
}

#[test]
fn wrong_use_is_told_from_a_bad_log() {
    let log = Log::new();
    let missing = log.path().join("missing");
    assert_eq!(log.verify(&missing, &[]).0, 2);
    // A file without its entry, a directory with one, a missing entry.
    assert_eq!(log.verify(&log.path().join("checkpoint"), &[]).0, 2);
    assert_eq!(log.verify(log.path(), &["--entry", "x"]).0, 2);
    assert_eq!(
        log.verify(&log.path().join("checkpoint"), &["--entry", "/missing"])
            .0,
        2
    );
    let path = log.path().to_str().unwrap();
    assert_eq!(run(&["audit", "verify", path]).0, 2);
    assert_eq!(run(&["audit", "verify", path, "--key", "nonsense"]).0, 2);
    let witness = log.witness.verifier().to_string();
    assert_eq!(run(&["audit", "verify", path, "--key", &witness]).0, 2);
    assert_eq!(log.verify(log.path(), &["--witness", &log.key()]).0, 2);
    // A directory that is no log is a log that does not hold.
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(log.verify(empty.path(), &[]).0, 10);
}

/// Nobody writes to these pipes, and the device has no end: each is refused at once.
#[test]
fn what_is_no_file_is_not_waited_for() {
    let log = Log::new();
    let pipe = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    };
    let proof = log.path().join("proof");
    pipe(&proof);
    let entry = ["--entry", proof.to_str().unwrap()];
    let (status, text) = log.verify(&proof, &entry);
    assert!(status == 3 && text.contains("not a regular file"), "{text}");
    fs::remove_file(&proof).unwrap();
    for name in ["tile/entries/000", "tile/0/000", "checkpoint"] {
        let path = log.path().join(name);
        let kept = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        pipe(&path);
        assert_eq!(log.verify(log.path(), &[]).0, 10, "{name}");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert_eq!(log.verify(log.path(), &[]).0, 10, "{name}");
        fs::remove_file(&path).unwrap();
        fs::write(&path, kept).unwrap();
    }
    assert_eq!(log.verify(log.path(), &[]).0, 0);
}
