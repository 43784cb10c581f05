//! `cyprob secrets list`: names and versions.

use std::io::Write as _;

use clap::Args;
use cyprob::secrets::domain::{SecretName, SecretVersion};
use cyprob::secrets::ports::SecretStore as _;
use serde_json::json;

use super::{Place, SecretsError};
use crate::server::ServeError;

/// Where, and in which form.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

type Listed = Vec<(SecretName, Vec<SecretVersion>)>;

impl ListArgs {
    /// Runs the command.
    pub(crate) async fn run(self) -> Result<(), ServeError> {
        let store = self.place.secrets()?;
        let mut all = Vec::new();
        for name in store.names().await.map_err(SecretsError::Source)? {
            let versions = store.versions(&name).await.map_err(SecretsError::Source)?;
            // None: it was deleted in between.
            if !versions.is_empty() {
                all.push((name, versions));
            }
        }
        let text = if self.json { json(&all) } else { table(&all) };
        let written = std::io::stdout().lock().write_all(text.as_bytes());
        Ok(written.map_err(SecretsError::System)?)
    }
}

fn json(all: &Listed) -> String {
    let secrets: Vec<_> = all
        .iter()
        .map(|(name, versions)| {
            let numbers: Vec<u64> = versions.iter().map(|version| version.get()).collect();
            json!({
                "name": name.as_str(),
                "versions": numbers,
                "deployment_key": cyprob::is_deployment_key(name),
            })
        })
        .collect();
    format!("{}\n", json!({ "secrets": secrets }))
}

/// Versions of a name are without gaps: the first and the last say all.
fn table(all: &Listed) -> String {
    let width = all.iter().map(|(name, _)| name.as_str().len()).max();
    let width = width.unwrap_or(0).max("name".len());
    let mut text = format!("{:width$}  versions\n", "name");
    for (name, versions) in all {
        let range = match (versions.first(), versions.last()) {
            (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
            (_, last) => last.map_or(String::new(), |last| last.to_string()),
        };
        let own = match cyprob::is_deployment_key(name) {
            true => "  (key of the deployment)",
            false => "",
        };
        text.push_str(&format!("{:width$}  {range}{own}\n", name.as_str()));
    }
    text
}
