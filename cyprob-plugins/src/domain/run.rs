//! Runs: plugins over facts, in an organization, for a person.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use cyprob_core::domain::{FindingId, OrgId, RunId, Tag, Timestamp, UserId};

use super::{Digest, PluginFile, PluginId, RunKey};

/// Most findings of one run.
pub(crate) const MAX_FINDINGS: usize = 100_000;
/// Most bytes of one finding's JSON text.
pub(crate) const MAX_FINDING_BYTES: usize = 128 << 10;
/// Most bytes of all findings of a run.
pub(crate) const MAX_FINDINGS_BYTES: usize = 16 << 20;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Waits for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// Its result was accepted.
    Succeeded,
    /// It cannot be run, whoever tries.
    Failed,
    /// Somebody took it back.
    Cancelled,
    /// Every attempt was lost.
    Dead,
}

impl RunState {
    /// The name in answers and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
        }
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no state of a run")]
pub struct RunStateError;

impl FromStr for RunState {
    type Err = RunStateError;

    fn from_str(text: &str) -> Result<Self, RunStateError> {
        let all = [
            Self::Queued,
            Self::Running,
            Self::Succeeded,
            Self::Failed,
            Self::Cancelled,
            Self::Dead,
        ];
        all.into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(RunStateError)
    }
}

/// How much went in and came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Fact sets.
    pub facts: u32,
    /// Plugins.
    pub plugins: u32,
    /// Findings.
    pub findings: u32,
    /// Plugins that could not be decided on a fact set.
    pub errors: u32,
}

/// A run as its organization sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// How much went in and came out.
    pub counts: RunCounts,
    /// Who asked for it.
    pub requested_by: UserId,
    /// What it is marked with, since it was asked for.
    pub tags: BTreeSet<Tag>,
    /// When.
    pub created_at: Timestamp,
    /// When it reached its final state.
    pub finished_at: Option<Timestamp>,
    /// Why it failed, died or had to be tried again.
    pub error: Option<String>,
}

/// The facts of a run, as they came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsFile {
    /// `json`, `yaml` or `xml`.
    pub format: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A run to be queued.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// Who asks for it.
    pub requested_by: UserId,
    /// What it is marked with.
    pub tags: BTreeSet<Tag>,
    /// When.
    pub at: Timestamp,
    /// How much goes in.
    pub counts: RunCounts,
    /// What it runs, in order.
    pub plugins: Vec<PluginId>,
    /// The files of those, in the same order.
    pub files: Vec<PluginFile>,
    /// The digest of the rule set that they make.
    pub rule_set: Digest,
    /// What it runs on.
    pub facts: FactsFile,
    /// A key by which the same request is known when it comes again.
    pub key: Option<RunKey>,
}

/// The number of an attempt; a higher one makes every lower one stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

/// A run that a worker could take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The run.
    pub run: RunId,
    /// Whose it is.
    pub org: OrgId,
    /// Who asked for it.
    pub requested_by: UserId,
    /// The last attempt's number; zero before the first.
    pub fence: Fence,
    /// Attempts that were begun and count.
    pub attempts: u32,
}

/// A run that was taken: one attempt.
#[derive(Clone, Debug)]
pub struct Job {
    /// The run.
    pub run: RunId,
    /// Whose it is.
    pub org: OrgId,
    /// Who asked for it.
    pub requested_by: UserId,
    /// The attempt's number.
    pub fence: Fence,
    /// Which attempt it is, from one.
    pub attempt: u32,
    /// The rule set that it is pinned to.
    pub rule_set: Digest,
    /// Its plugins, in order.
    pub plugins: Vec<PluginId>,
    /// Their files, in the same order.
    pub files: Vec<PluginFile>,
    /// What it runs on.
    pub facts: FactsFile,
}

/// A finding as it is stored: an id and the JSON text of [`Finding`](super::Finding).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFinding {
    /// Its id.
    pub id: FindingId,
    /// The finding.
    pub body: String,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// The final state.
    pub state: RunState,
    /// How much came out.
    pub findings: Vec<StoredFinding>,
    /// Plugins that could not be decided on a fact set.
    pub errors: u32,
    /// Why, unless it succeeded.
    pub error: Option<String>,
    /// When.
    pub at: Timestamp,
}
