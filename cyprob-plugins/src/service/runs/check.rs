//! Checking what a worker reports: in our threat model it lies.
//!
//! Whether a plugin really matches is not judged here: who could say so has
//! run it. What is held is whose report it is, what it may speak of, its form
//! and its size.

use std::collections::{BTreeMap, BTreeSet};

use cyprob_core::domain::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer};

use crate::domain::{FactSet, Job, MAX_FINDING_BYTES, MAX_FINDINGS, MAX_FINDINGS_BYTES};
use crate::ports::{JobTokens, Report, Verdict};

/// Why a report is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Lie {
    #[error("the worker's token is not good")]
    Token(#[source] crate::ports::JobTokenError),
    #[error("the worker's token is for another attempt, run, organization or rule set")]
    OtherJob,
    #[error("the worker reports more findings than facts and plugins can give")]
    TooMany,
    #[error("the worker reports a finding that is malformed")]
    Malformed,
    #[error("the worker reports a finding of a plugin or target that is not in its job")]
    Stranger,
}

impl Lie {
    /// The code in the trail.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Token(_) => "bad_token",
            Self::OtherJob => "other_job",
            Self::TooMany => "too_many",
            Self::Malformed => "malformed",
            Self::Stranger => "stranger",
        }
    }
}

/// A finding as a worker writes it; every field must be there, and no other.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "reading them is the check")]
struct Claimed {
    target: String,
    #[serde(deserialize_with = "present")]
    port: Option<u16>,
    plugin: String,
    plugin_type: String,
    severity: ClaimedSeverity,
    message: String,
    remediation: String,
    cve: Vec<String>,
    cwe: Vec<String>,
    reference: String,
    matched: Vec<ClaimedEvidence>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClaimedSeverity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "reading them is the check")]
struct ClaimedEvidence {
    field: String,
    operator: String,
    #[serde(deserialize_with = "present")]
    actual: Option<String>,
}

/// A value that may be null, but not absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

/// Takes the report if its token is that of this attempt and its findings can be of this job.
pub(super) fn report(
    job: &Job,
    facts: &[FactSet],
    report: &Report,
    tokens: &dyn JobTokens,
    at: Timestamp,
) -> Result<(), Lie> {
    let grant = tokens
        .verify(report.token.expose_secret(), at)
        .map_err(Lie::Token)?;
    let ours = grant.run == job.run
        && grant.org == job.org
        && grant.fence == job.fence
        && grant.rule_set == job.rule_set
        && grant.on_behalf_of == job.requested_by
        && report.run == job.run.to_string();
    if !ours {
        return Err(Lie::OtherJob);
    }
    match &report.verdict {
        Verdict::Done { findings, errors } => possible(job, facts, findings, *errors),
        Verdict::Impossible(_) => Ok(()),
    }
}

/// Whether these can be findings of the job: each plugin speaks at most once of each fact set.
fn possible(job: &Job, facts: &[FactSet], findings: &[String], errors: u64) -> Result<(), Lie> {
    let pairs = facts.len().saturating_mul(job.plugins.len());
    let told = findings
        .len()
        .saturating_add(usize::try_from(errors).unwrap_or(usize::MAX));
    let bytes: usize = findings.iter().map(String::len).sum();
    if told > pairs || findings.len() > MAX_FINDINGS || bytes > MAX_FINDINGS_BYTES {
        return Err(Lie::TooMany);
    }
    // How many fact sets each target and port has, and so how often each plugin may still speak of it.
    let mut sets: BTreeMap<&str, BTreeMap<Option<u16>, (usize, u32)>> = BTreeMap::new();
    for (number, set) in facts.iter().enumerate() {
        let ports = sets.entry(set.target()).or_default();
        let (_, count) = ports.entry(set.port()).or_insert((number, 0));
        *count = count.saturating_add(1);
    }
    let plugins: BTreeSet<&str> = job.plugins.iter().map(|id| id.as_str()).collect();
    let mut left: BTreeMap<(usize, &str), u32> = BTreeMap::new();
    for finding in findings {
        if finding.len() > MAX_FINDING_BYTES {
            return Err(Lie::Malformed);
        }
        let claimed: Claimed = serde_json::from_str(finding).map_err(|_| Lie::Malformed)?;
        let ports = sets.get(claimed.target.as_str());
        let place = ports.and_then(|ports| ports.get(&claimed.port));
        let plugin = plugins.get(claimed.plugin.as_str());
        let (Some((number, count)), Some(plugin)) = (place, plugin) else {
            return Err(Lie::Stranger);
        };
        let left = left.entry((*number, plugin)).or_insert(*count);
        *left = left.checked_sub(1).ok_or(Lie::TooMany)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
