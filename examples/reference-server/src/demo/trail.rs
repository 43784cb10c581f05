//! The audit trail: asked over HTTP, verified from its files, proved entry by entry.

use std::path::Path;
use std::time::Duration;

use cyprob::audit::adapters::directory::DirectoryLog;
use cyprob::audit::domain::{KeyName, VerifierKey};
use cyprob::audit::service::verify::{Options, Report, verify_log, verify_proof};
use cyprob::core::adapters::system::SystemClock;
use cyprob::core::ports::Clock as _;
use serde_json::Value;

use super::client::{Client, at, text};
use super::people::People;
use super::steps::{Failed, Steps, Unexpected};

/// How long the sequencer may take to place what was recorded.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads and verifies what the walk has left in the logs.
pub(super) async fn walk(
    steps: &mut Steps,
    client: &Client,
    people: &People,
    run: &str,
    logs: &Path,
) -> Result<(), Failed> {
    let query = async {
        settled(client, &people.owner, "acme").await?;
        let mut index = None;
        for action in ["run.created", "run.started", "run.succeeded"] {
            let path = format!("/api/v1/orgs/acme/audit?action={action}&outcome=success");
            let found = client.get(&path, &people.owner).await?.expect(200)?.json();
            let items = at(&found, "/items").as_array().cloned().unwrap_or_default();
            let of_run = items.iter().find(|item| at(item, "/resource/id") == run);
            let item = of_run.ok_or_else(|| Unexpected(format!("no {action} in the trail")))?;
            index = at(item, "/index").as_u64();
        }
        let denied = "/api/v1/orgs/acme/audit?action=access.denied&outcome=denied&limit=100";
        let denied = client.get(denied, &people.owner).await?.expect(200)?.json();
        let denied = at(&denied, "/items").as_array().map_or(0, Vec::len);
        match (index, denied) {
            (Some(index), 16..) => Ok((index, denied)),
            (None, _) => Err(Unexpected(
                "the run's end has no place in the log yet".to_owned(),
            )),
            (_, n) => Err(Unexpected(format!(
                "expected 16 refusals in the trail, got {n}"
            ))),
        }
    };
    let claim = "every step of the run is there, and every refusal";
    let (index, denied) = steps.check("audit query", claim, query).await?;
    steps.note(&format!(
        "{denied} refusals; run.succeeded is entry {index}"
    ));

    let known = async {
        let found = client
            .get("/.well-known/cyprob", &people.owner)
            .await?
            .expect(200)?
            .json();
        let key = text(&found, "/audit/deployment/vkey")?;
        key.parse::<VerifierKey>()
            .map_err(|error| Unexpected(error.to_string()))
    };
    let claim = "the deployment's verifier key is public";
    let key = steps.check("audit key", claim, known).await?;
    steps.note(&key.to_string());

    let files = async {
        settled(client, &people.owner, "acme").await?;
        verify_all(&key, logs)
    };
    let claim = "each log verifies from its files: integrity and completeness";
    let verified = steps.check("audit verification", claim, files).await?;
    for report in verified {
        let size = report.size.unwrap_or_default();
        steps.note(&format!("{}: {size} entries", report.origin));
    }

    let proof = async {
        let base = format!("/api/v1/orgs/acme/audit/{index}");
        let proof = client
            .get(&format!("{base}/proof"), &people.owner)
            .await?
            .expect(200)?;
        let entry = client
            .get(&format!("{base}/entry"), &people.owner)
            .await?
            .expect(200)?;
        let leaf: Value = entry.json();
        if at(&leaf, "/resource/id") != run || at(&leaf, "/action") != "run.succeeded" {
            return Err(Unexpected(
                "the entry is not that of the run's end".to_owned(),
            ));
        }
        let origin = format!("{}/{}", key.name(), people.acme);
        let key = log_key(&key, &origin)?;
        let report = verify_proof(
            &proof.body,
            &entry.body,
            &Options::new(key, SystemClock.now()),
        );
        held(report).map(drop)
    };
    let claim = "the entry of the run's end is in the log, by a proof that stands alone";
    steps.check("audit proof", claim, proof).await
}

fn log_key(key: &VerifierKey, origin: &str) -> Result<VerifierKey, Unexpected> {
    let origin = origin.parse::<KeyName>().ok();
    let key = origin.and_then(|origin| key.for_log(&origin));
    key.ok_or_else(|| Unexpected("the log's name is none of the deployment's".to_owned()))
}

fn held(report: Report) -> Result<Report, Unexpected> {
    match report.first_failure() {
        None => Ok(report),
        Some(judged) => {
            let verdicts = report.verdicts();
            let why = verdicts
                .iter()
                .find(|(what, _)| *what == judged)
                .map(|(_, v)| format!("{v:?}"));
            Err(Unexpected(format!(
                "{}: {judged} failed: {}",
                report.origin,
                why.unwrap_or_default()
            )))
        }
    }
}

/// Verifies every log below the directory, as `cyprob audit verify` does.
fn verify_all(key: &VerifierKey, logs: &Path) -> Result<Vec<Report>, Unexpected> {
    let failed = |error: &dyn std::fmt::Display| Unexpected(format!("{}: {error}", logs.display()));
    let mut reports = Vec::new();
    let mut found: Vec<_> = std::fs::read_dir(logs)
        .map_err(|e| failed(&e))?
        .collect::<Result<_, _>>()
        .map_err(|e| failed(&e))?;
    found.sort_by_key(std::fs::DirEntry::file_name);
    for log in found {
        let name = log.file_name().to_string_lossy().into_owned();
        let key = log_key(key, &format!("{}/{name}", key.name()))?;
        let files = DirectoryLog::open(&log.path()).map_err(|e| failed(&e))?;
        let options = Options::new(key, SystemClock.now());
        let report = verify_log(&files, &options, &mut |_| {}).map_err(|e| failed(&e))?;
        reports.push(held(report)?);
    }
    Ok(reports)
}

/// Waits until what was recorded so far stands in the published log.
async fn settled(client: &Client, owner: &str, org: &str) -> Result<(), Unexpected> {
    let path = format!("/api/v1/orgs/{org}/audit/checkpoint");
    let waited = async {
        let mut last = None;
        loop {
            let answer = client.get(&path, owner).await?;
            // An organization has no head before the first round that finds its events.
            let head = match answer.status.as_u16() {
                404 => None,
                _ => Some(answer.expect(200)?.body),
            };
            if head.is_some() && last == head {
                return Ok(());
            }
            last = head;
            // Longer than the log's rounds lie apart.
            tokio::time::sleep(Duration::from_millis(1_500)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, waited).await {
        Ok(settled) => settled,
        Err(_) => Err(Unexpected("the log does not come to rest".to_owned())),
    }
}
