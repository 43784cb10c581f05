//! `cyprob audit ...`: judge audit logs and proofs without a server.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use cyprob::audit::adapters::directory::DirectoryLog;
use cyprob::audit::domain::{MAX_ENTRY_BYTES, SignatureKind, TlogProof, VerifierKey};
use cyprob::audit::service::verify::{
    Judged, Options, Progress, Report, Verdict, verify_log, verify_proof,
};
use cyprob::core::adapters::system::SystemClock;
use cyprob::core::domain::Timestamp;
use cyprob::core::ports::Clock as _;

use super::Exit;
use crate::bounded;

/// Judge audit logs and proofs; no server needed.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify a log directory, or one entry by its proof.
    ///
    /// Prints the verdicts on integrity, completeness, freshness and
    /// witnesses. The status is 0 if all that were judged hold, else 10, 11,
    /// 12 or 13 in that order for the first that fails.
    Verify(Box<VerifyArgs>),
}

/// What to verify, and by what.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A log directory, or a proof file.
    #[arg(value_name = "DIR|PROOF")]
    target: PathBuf,
    /// The log's verifier key, `name+hash+base64`, or that of its deployment, which is good for each of its logs.
    #[arg(long, value_name = "VKEY", value_parser = log_key)]
    key: VerifierKey,
    /// The entry that the proof is about: the exact bytes of the leaf.
    #[arg(long, value_name = "FILE")]
    entry: Option<PathBuf>,
    /// How old the checkpoint may be.
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// The verifier key of a witness that must have cosigned; may be repeated.
    #[arg(long, value_name = "VKEY", value_parser = witness_key)]
    witness: Vec<VerifierKey>,
}

impl AuditCommand {
    /// Runs the command.
    pub(crate) fn run(self) -> ExitCode {
        match self {
            Self::Verify(args) => args.run(),
        }
    }
}

fn log_key(text: &str) -> Result<VerifierKey, String> {
    key_of(text, SignatureKind::Note, "a witness's key, not a log's")
}

fn witness_key(text: &str) -> Result<VerifierKey, String> {
    key_of(
        text,
        SignatureKind::Cosignature,
        "a log's key, not a witness's",
    )
}

fn key_of(text: &str, kind: SignatureKind, other: &str) -> Result<VerifierKey, String> {
    let key: VerifierKey = text.parse().map_err(|error| format!("{error}"))?;
    if key.kind() == kind {
        Ok(key)
    } else {
        Err(other.to_owned())
    }
}

impl VerifyArgs {
    fn run(&self) -> ExitCode {
        let mut options = Options::new(self.key_of_log(), SystemClock.now());
        options.max_age = self.max_age.map(Duration::from_secs);
        options.witnesses.clone_from(&self.witness);
        let report = match std::fs::metadata(&self.target) {
            Ok(found) if found.is_dir() => self.directory(&options),
            Ok(_) => self.proof(&options),
            Err(error) => Err(unreadable(&self.target, &error)),
        };
        let report = match report {
            Ok(report) => report,
            Err(exit) => return exit.into(),
        };
        match print(&report) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                complain("standard output cannot be written");
                Exit::Unavailable.into()
            }
            _ => status(&report),
        }
    }

    /// The key given, under the name of the log that the target says it is of.
    fn key_of_log(&self) -> VerifierKey {
        let checkpoint = self.target.join("checkpoint");
        let file = if checkpoint.exists() {
            &checkpoint
        } else {
            &self.target
        };
        // What cannot be read is told where the whole of it is read.
        let bytes = bounded::read(file, TlogProof::MAX_BYTES).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let note = match text.split_once("\n\n") {
            Some((head, note)) if head.starts_with("c2sp.org/tlog-proof") => note,
            _ => &text,
        };
        let origin = note.lines().next().and_then(|line| line.parse().ok());
        origin
            .and_then(|origin| self.key.for_log(&origin))
            .unwrap_or_else(|| self.key.clone())
    }

    fn directory(&self, options: &Options) -> Result<Report, Exit> {
        if self.entry.is_some() {
            complain("--entry goes with a proof, not with a directory");
            return Err(Exit::BadInput);
        }
        let log =
            DirectoryLog::open(&self.target).map_err(|error| unreadable(&self.target, &error))?;
        let mut shown = Shown::new();
        let report = verify_log(&log, options, &mut |progress| shown.show(progress));
        shown.clear();
        report.map_err(|error| {
            complain(&cyprob::audit::service::verify::chain(&error));
            Exit::Unavailable
        })
    }

    fn proof(&self, options: &Options) -> Result<Report, Exit> {
        let Some(entry) = &self.entry else {
            complain("a proof needs --entry FILE, the bytes that it is about");
            return Err(Exit::BadInput);
        };
        let proof = read(&self.target, TlogProof::MAX_BYTES)?;
        let entry = read(entry, MAX_ENTRY_BYTES)?;
        Ok(verify_proof(&proof, &entry, options))
    }
}

/// Reads a file; one byte more than the limit is enough to be refused later.
fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Exit> {
    bounded::read(path, limit).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Exit {
    complain(&format!("{path:?} cannot be read: {error}"));
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            Exit::BadInput
        }
        _ => Exit::Unavailable,
    }
}

/// Says one line on standard error; nobody listening is no failure.
fn complain(message: &str) {
    let _ = writeln!(io::stderr().lock(), "cyprob: {message}");
}

fn status(report: &Report) -> ExitCode {
    match report.first_failure() {
        None => Exit::Held.into(),
        Some(Judged::Integrity) => ExitCode::from(10),
        Some(Judged::Completeness) => ExitCode::from(11),
        Some(Judged::Freshness) => ExitCode::from(12),
        Some(Judged::Witnessed) => ExitCode::from(13),
    }
}

fn print(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "log           {}", report.origin)?;
    if let Some(size) = report.size {
        writeln!(out, "entries       {size}")?;
    }
    if let Some(root) = report.root {
        writeln!(out, "root          {root}")?;
    }
    if let Some(time) = report.time {
        writeln!(out, "signed        {time}")?;
    }
    for (judged, verdict) in report.verdicts() {
        let judged = judged.to_string();
        match verdict {
            Verdict::Held => writeln!(out, "{judged:<13} held")?,
            Verdict::NotJudged => writeln!(out, "{judged:<13} not judged")?,
            Verdict::Failed(reasons) => {
                writeln!(out, "{judged:<13} FAILED")?;
                for reason in reasons.shown() {
                    writeln!(out, "  {reason}")?;
                }
                if reasons.more() > 0 {
                    writeln!(out, "  and {} more", reasons.more())?;
                }
            }
        }
    }
    out.flush()
}

/// A line on the terminal that says how far it is, once it takes longer than a moment.
struct Shown {
    terminal: bool,
    next: Timestamp,
    any: bool,
}

impl Shown {
    fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
            next: SystemClock.now().after(Duration::from_secs(1)),
            any: false,
        }
    }

    fn show(&mut self, progress: Progress) {
        if !self.terminal || SystemClock.now() < self.next {
            return;
        }
        self.next = SystemClock.now().after(Duration::from_millis(200));
        self.any = true;
        let Progress { entries, of } = progress;
        let percent = u128::from(entries) * 100 / u128::from(of.max(1));
        let _ = write!(
            io::stderr().lock(),
            "\r{entries} of {of} entries, {percent} %"
        );
    }

    fn clear(&self) {
        if self.any {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}
