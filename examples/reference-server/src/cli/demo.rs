//! `cyprob demo`: the whole control plane, step by step.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, runtime};
use crate::config::Config;
use crate::{demo, server};

/// Where, and whether to go on serving.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End after the last step instead of serving on.
    #[arg(long)]
    exit: bool,
    /// A configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// An empty directory to work in; a temporary one by default.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl DemoArgs {
    /// Runs the command.
    pub(crate) fn run(self) -> Exit {
        server::init_quiet_logging();
        runtime::run(async {
            let config = Config::load(self.config.as_deref())?;
            Box::pin(demo::run(config, self.data.as_deref(), self.exit)).await
        })
    }
}
