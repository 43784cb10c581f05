//! `cyprob routes`: every route with its policy, and who gets what answer there.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use cyprob::authz::http::Inventory;
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::{ControlPlane, DeploymentKeys, Stores};
use serde_json::json;

use super::{Exit, runtime};
use crate::server::{ServeError, roles};

/// In which form.
#[derive(Debug, Args)]
pub(crate) struct RoutesArgs {
    /// The form of the output.
    #[arg(long, value_name = "FORM", default_value = "markdown")]
    format: Format,
    /// The roles of the deployment, in YAML; only the built-in ones when not given.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
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
        let catalog = roles::catalog(self.policy.as_deref())?;
        let inventory = inventory().await?;
        let matrix = inventory.matrix(&catalog);
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

/// The routes that are served; they depend on the code alone, so an empty control plane has them.
pub(super) async fn inventory() -> Result<Inventory, ServeError> {
    let keys = DeploymentKeys::ephemeral(&SystemEntropy);
    let stores = Stores::memory(Arc::new(SystemEntropy));
    let builder = ControlPlane::builder().stores(stores).keys(keys);
    let (_, inventory) = cyprob::http::router(builder.build().await?)?;
    Ok(inventory)
}
