//! Those who run jobs, at arm's length.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::Job;

/// What a worker says of its job. Nothing of it is believed before it is checked.
#[derive(Clone, Debug)]
pub struct Report {
    /// The token that it was given.
    pub token: SecretString,
    /// The run, as it says.
    pub run: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a job.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It was run: the JSON texts of the findings, and how many plugins could not be decided.
    Done {
        /// The findings.
        findings: Vec<String>,
        /// The undecided.
        errors: u64,
    },
    /// It cannot be run, whoever tries.
    Impossible(String),
}

/// The worker was lost before it reported; the text says how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Lost(pub String);

/// Runs jobs somewhere else: another process, another machine.
#[async_trait]
pub trait Workers: Debug + Send + Sync + 'static {
    /// Hands a job with its token to a worker and waits for its report, at most so long.
    ///
    /// Dropping the future ends the worker.
    ///
    /// # Errors
    ///
    /// [`Lost`]; the job may be tried again.
    async fn run(
        &self,
        job: &Job,
        token: &SecretString,
        patience: Duration,
    ) -> Result<Report, Lost>;
}
