//! Checking what a worker reports: in our threat model it lies.

use std::collections::BTreeSet;

use cyprob_core::domain::Timestamp;
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::domain::{FactSet, Job};
use crate::ports::{JobTokens, Report, Verdict};

/// Most findings of one run.
const MAX_FINDINGS: usize = 100_000;
/// Most bytes of one finding.
const MAX_FINDING: usize = 128 * 1024;

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

/// A finding as a worker writes it; every field must be there, and no other.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "reading them is the check")]
struct Claimed {
    target: String,
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
    actual: Option<String>,
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
    let Verdict::Done { findings, errors } = &report.verdict else {
        return Ok(());
    };
    let pairs = facts.len().saturating_mul(job.plugins.len());
    let told = findings
        .len()
        .saturating_add(usize::try_from(*errors).unwrap_or(usize::MAX));
    if told > pairs || findings.len() > MAX_FINDINGS {
        return Err(Lie::TooMany);
    }
    let targets: BTreeSet<_> = facts.iter().map(|set| (set.target(), set.port())).collect();
    let plugins: BTreeSet<_> = job.plugins.iter().map(|id| id.as_str()).collect();
    for finding in findings {
        if finding.len() > MAX_FINDING {
            return Err(Lie::Malformed);
        }
        let claimed: Claimed = serde_json::from_str(finding).map_err(|_| Lie::Malformed)?;
        let known = targets.contains(&(claimed.target.as_str(), claimed.port));
        if !known || !plugins.contains(claimed.plugin.as_str()) {
            return Err(Lie::Stranger);
        }
    }
    Ok(())
}
