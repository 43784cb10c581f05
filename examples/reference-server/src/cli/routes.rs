//! `cyprob routes`: every route with its policy, and who gets what answer there.

use std::io::Write;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use cyprob::authz::domain::RoleCatalog;
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::{ControlPlane, DeploymentKeys, Stores};
use serde_json::json;

use super::{Exit, runtime};
use crate::server::ServeError;

/// In which form.
#[derive(Debug, Args)]
pub(crate) struct RoutesArgs {
    /// The form of the output.
    #[arg(long, value_name = "FORM", default_value = "markdown")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
    Markdown,
    Csv,
}

impl RoutesArgs {
    /// Runs the command.
    pub(crate) fn run(self) -> Exit {
        runtime::run(self.print())
    }

    async fn print(self) -> Result<(), ServeError> {
        // The table depends on the code alone: an empty control plane has it.
        let keys = DeploymentKeys::ephemeral(&SystemEntropy);
        let stores = Stores::memory(Arc::new(SystemEntropy));
        let plane = ControlPlane::builder()
            .stores(stores)
            .keys(keys)
            .build()
            .await?;
        let (_, inventory) = cyprob::http::router(plane)?;
        let matrix = inventory.matrix(&RoleCatalog::builtin());
        let text = match self.format {
            Format::Json => {
                format!(
                    "{}\n",
                    json!({ "routes": inventory.to_json(), "matrix": matrix.to_json() })
                )
            }
            Format::Markdown => format!("{}\n{}", inventory.to_markdown(), matrix.to_markdown()),
            Format::Csv => format!("{}\r\n{}", inventory.to_csv(), matrix.to_csv()),
        };
        std::io::stdout()
            .lock()
            .write_all(text.as_bytes())
            .map_err(ServeError::System)
    }
}
