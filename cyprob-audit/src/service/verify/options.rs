//! What is asked of a verification.

use std::time::Duration;

use cyprob_core::domain::Timestamp;

use crate::domain::VerifierKey;

/// What is asked of a verification.
#[derive(Clone, Debug)]
pub struct Options {
    /// The log's key; its name is the log's origin.
    pub log: VerifierKey,
    /// The time now.
    pub now: Timestamp,
    /// How old the checkpoint may be; `None` judges no freshness.
    pub max_age: Option<Duration>,
    /// The witnesses that must all have cosigned; none judges nothing.
    pub witnesses: Vec<VerifierKey>,
}

impl Options {
    /// Judges integrity and completeness by the log's key alone.
    #[must_use]
    pub const fn new(log: VerifierKey, now: Timestamp) -> Self {
        Self {
            log,
            now,
            max_age: None,
            witnesses: Vec::new(),
        }
    }
}

/// How far a verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Entries checked.
    pub entries: u64,
    /// Entries that the checkpoint claims.
    pub of: u64,
}
