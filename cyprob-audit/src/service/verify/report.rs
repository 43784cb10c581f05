//! What a verification found.

use std::fmt;
use std::time::Duration;

use cyprob_core::domain::Timestamp;

use crate::domain::{BadTile, CheckpointError, Hash, KeyName, LogFile, NoteError, ProofError};
use crate::ports::LogFilesError;

/// A verification could not be carried through; it says nothing of the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The log's files cannot be read.
    #[error("the files of the log cannot be read")]
    Files {
        /// Why.
        #[source]
        source: LogFilesError,
    },
}

/// The answer to one question about a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Held,
    /// It does not hold.
    Failed(Reasons),
    /// It was not asked, or what it takes to judge it is missing.
    NotJudged,
}

impl Verdict {
    /// Whether it was judged and does not hold.
    #[must_use]
    pub const fn failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

/// Which question failed; the order is that of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Judged {
    /// What is there agrees with the checkpoint.
    Integrity,
    /// All that the checkpoint covers is there, and nothing else.
    Completeness,
    /// The checkpoint is recent.
    Freshness,
    /// The witnesses vouch for the checkpoint.
    Witnessed,
}

/// Reasons for one failed verdict: the first sixteen, and how many more there are at least.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    shown: Vec<Reason>,
    more: u64,
}

impl Reasons {
    /// How many are kept.
    pub const SHOWN: usize = 16;

    /// A single reason.
    #[must_use]
    pub fn one(reason: Reason) -> Self {
        Self {
            shown: vec![reason],
            more: 0,
        }
    }

    pub(super) const fn none() -> Self {
        Self {
            shown: Vec::new(),
            more: 0,
        }
    }

    /// The reasons that were kept.
    #[must_use]
    pub fn shown(&self) -> &[Reason] {
        &self.shown
    }

    /// How many more were found before the search stopped.
    #[must_use]
    pub const fn more(&self) -> u64 {
        self.more
    }

    pub(super) fn add(&mut self, reason: Reason) {
        if self.shown.len() < Self::SHOWN {
            self.shown.push(reason);
        } else {
            self.more += 1;
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.shown.len() >= Self::SHOWN
    }

    pub(super) fn verdict(self) -> Verdict {
        if self.is_empty() {
            Verdict::Held
        } else {
            Verdict::Failed(self)
        }
    }
}

/// Why a verdict failed. Indexes are those of entries in the log, from zero.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The checkpoint is not the log's.
    #[error("checkpoint: {}", chain(.0))]
    Checkpoint(CheckpointError),
    /// There is no checkpoint.
    #[error("checkpoint: missing")]
    NoCheckpoint,
    /// The checkpoint file is no regular file, or too long for a checkpoint.
    #[error("checkpoint: not a regular file of at most 128 KiB")]
    CheckpointFile,
    /// A tile or bundle is malformed.
    #[error("{file}: {what}")]
    Malformed {
        /// The file.
        file: LogFile,
        /// How.
        what: BadTile,
    },
    /// What bears a tile's name is no regular file, or too long for it.
    #[error("{file}: not a regular file of the right size")]
    NotAFile {
        /// The file.
        file: LogFile,
    },
    /// An entry does not hash to what the hash tile says.
    #[error("{file}: entry {index} does not hash to its leaf hash in {tile}")]
    Entry {
        /// The bundle.
        file: LogFile,
        /// The hash tile.
        tile: LogFile,
        /// The entry.
        index: u64,
    },
    /// A hash of a tile is not that of the subtree below it.
    #[error("{file}: the hash over the entries from {index} on is not theirs")]
    Node {
        /// The tile.
        file: LogFile,
        /// The first entry below the hash.
        index: u64,
    },
    /// The root over everything is not the checkpoint's.
    #[error("the root over all {size} entries is {found}, not the checkpoint's {signed}")]
    Root {
        /// The number of entries.
        size: u64,
        /// The root that was computed.
        found: Hash,
        /// The root that was signed.
        signed: Hash,
    },
    /// An older partial file does not agree with the log.
    #[error("{file}: an older partial file that differs from the log")]
    Leftover {
        /// The file.
        file: LogFile,
    },
    /// A file that the checkpoint's size requires is missing.
    #[error("{file}: missing, with entries {first} to {last}")]
    Missing {
        /// The file.
        file: LogFile,
        /// The first entry that it covers.
        first: u64,
        /// The last entry that it covers and the checkpoint too.
        last: u64,
    },
    /// There are entries or hashes that the checkpoint does not cover.
    #[error("{file}: beyond the {size} entries of the checkpoint")]
    Beyond {
        /// The file.
        file: LogFile,
        /// The checkpoint's size.
        size: u64,
    },
    /// There is a file that is no part of a log.
    #[error("{path:?}: no file of a log")]
    Stranger {
        /// Its path.
        path: String,
    },
    /// The checkpoint is older than asked.
    #[error("signed {} seconds ago, more than the {} allowed", .age.as_secs(), .max_age.as_secs())]
    Stale {
        /// Its age.
        age: Duration,
        /// The age that was asked for.
        max_age: Duration,
    },
    /// The checkpoint does not say when it was signed, and no witness says when it was seen.
    #[error("the checkpoint bears no time")]
    NoTime,
    /// The checkpoint bears a time more than five minutes ahead.
    #[error("the checkpoint bears a time in the future, {at}")]
    Future {
        /// The time.
        at: Timestamp,
    },
    /// A witness does not vouch for the checkpoint.
    #[error("witness {witness}: {why}")]
    Witness {
        /// The witness.
        witness: KeyName,
        /// Why its word does not count.
        why: NoteError,
    },
    /// The proof does not hold.
    #[error("proof: {}", chain(.0))]
    Proof(ProofError),
}

/// An error with its causes, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// The verdicts on a log or on a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What is there agrees with the checkpoint.
    pub integrity: Verdict,
    /// All that the checkpoint covers is there, and nothing else; not judged on a proof.
    pub completeness: Verdict,
    /// The checkpoint is recent; judged when an age was asked for.
    pub freshness: Verdict,
    /// The witnesses vouch for the checkpoint; judged when one was asked for.
    pub witnessed: Verdict,
    /// The log.
    pub origin: KeyName,
    /// The number of entries of the checkpoint, if it is the log's.
    pub size: Option<u64>,
    /// The root of the checkpoint.
    pub root: Option<Hash>,
    /// When the checkpoint was signed, if it says.
    pub time: Option<Timestamp>,
}

impl Report {
    /// The first question that failed, in the order of [`Judged`].
    #[must_use]
    pub fn first_failure(&self) -> Option<Judged> {
        self.verdicts()
            .into_iter()
            .find(|(_, verdict)| verdict.failed())
            .map(|(judged, _)| judged)
    }

    /// The verdicts with their questions, in the order of [`Judged`].
    #[must_use]
    pub const fn verdicts(&self) -> [(Judged, &Verdict); 4] {
        [
            (Judged::Integrity, &self.integrity),
            (Judged::Completeness, &self.completeness),
            (Judged::Freshness, &self.freshness),
            (Judged::Witnessed, &self.witnessed),
        ]
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integrity => "integrity",
            Self::Completeness => "completeness",
            Self::Freshness => "freshness",
            Self::Witnessed => "witnessed",
        })
    }
}
