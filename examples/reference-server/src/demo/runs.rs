//! A run: plugins, facts of a scan, a worker process, findings.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::assets::{PLUGINS, SCAN};
use super::client::{Carry, Client, at, text};
use super::people::People;
use super::steps::{Failed, Steps, Unexpected};

/// How long the run may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the plugins find in the scan.
const EXPECTED: usize = 8;

/// From plugin files to findings; gives the run's id.
pub(super) async fn walk(
    steps: &mut Steps,
    client: &Client,
    people: &People,
) -> Result<String, Failed> {
    let installed = install(client, &people.owner);
    let claim = "8 files are read, installed under their digests, and enabled";
    steps.check("plugins", claim, installed).await?;

    let run = async {
        let body = Some(("application/xml", SCAN.to_vec()));
        let carry = Carry {
            token: Some(&people.owner),
            body,
        };
        let queued = client
            .send(Method::POST, "/api/v1/orgs/acme/runs", carry)
            .await?;
        let id = text(&queued.expect(202)?.json(), "/id")?;
        let run = ended(client, &people.owner, &id).await?;
        match at(&run, "/state").as_str() {
            Some("succeeded") => Ok((id, run)),
            _ => Err(Unexpected(format!(
                "the run is {}: {}",
                at(&run, "/state").as_str().unwrap_or("lost"),
                at(&run, "/error").as_str().unwrap_or("no reason")
            ))),
        }
    };
    let claim = "an Nmap scan is queued, a worker process runs it, one result is taken";
    let (id, run) = steps.check("run", claim, run).await?;
    let counts = at(&run, "/counts");
    steps.note(&format!(
        "{} fact sets, {} plugins, {} findings, {} errors",
        at(counts, "/facts"),
        at(counts, "/plugins"),
        at(counts, "/findings"),
        at(counts, "/errors")
    ));

    let findings = async {
        let path = format!("/api/v1/orgs/acme/runs/{id}/findings");
        let found = client.get(&path, &people.owner).await?.expect(200)?.json();
        let items = at(&found, "/items").as_array().cloned().unwrap_or_default();
        if items.len() == EXPECTED {
            Ok(items)
        } else {
            Err(Unexpected(format!(
                "expected {EXPECTED} findings, got {}",
                items.len()
            )))
        }
    };
    let items = steps
        .check(
            "findings",
            "each names target, port, plugin and evidence",
            findings,
        )
        .await?;
    for item in &items {
        let word = |name: &str| {
            item.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        steps.note(&format!(
            "{:<8} {}:{} {}",
            word("severity"),
            word("target"),
            at(item, "/port"),
            word("message")
        ));
    }

    let hidden = async {
        for org in ["acme", &people.acme, "globex", &people.globex] {
            for below in ["", "/findings"] {
                let path = format!("/api/v1/orgs/{org}/runs/{id}{below}");
                client.get(&path, &people.rival).await?.expect(404)?;
            }
        }
        Ok::<_, Unexpected>(())
    };
    let claim = "globex, who knows the run's id, sees neither run nor findings";
    steps.check("isolation of findings", claim, hidden).await?;
    Ok(id)
}

async fn install(client: &Client, owner: &str) -> Result<(), Unexpected> {
    for (name, bytes) in PLUGINS {
        let path = format!("/api/v1/orgs/acme/plugins?name={name}");
        let body = Some(("application/yaml", bytes.to_vec()));
        let carry = Carry {
            token: Some(owner),
            body,
        };
        let installed = client
            .send(Method::POST, &path, carry)
            .await?
            .expect(201)?
            .json();
        let id = text(&installed, "/id")?;
        let path = format!("/api/v1/orgs/acme/plugins/{id}/enabled");
        let body = json!({ "enabled": true });
        client
            .call(Method::PUT, &path, Some(owner), &body)
            .await?
            .expect(200)?;
    }
    Ok(())
}

/// The run once nothing more happens to it.
async fn ended(client: &Client, owner: &str, id: &str) -> Result<Value, Unexpected> {
    let path = format!("/api/v1/orgs/acme/runs/{id}");
    let waited = async {
        loop {
            let run = client.get(&path, owner).await?.expect(200)?.json();
            if !matches!(at(&run, "/state").as_str(), Some("queued" | "running")) {
                return Ok(run);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, waited).await {
        Ok(run) => run,
        Err(_) => Err(Unexpected("the run did not end in 60 s".to_owned())),
    }
}
