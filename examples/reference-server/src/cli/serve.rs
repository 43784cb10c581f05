//! `cyprob serve`: the server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::{Exit, runtime};
use crate::config::Config;
use crate::server;

/// What to serve, and where.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// A configuration file (TOML); a key that is not known is refused.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory; ./cyprob-data by default.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The loopback address to listen on, 127.0.0.1:8480 by default; port 0 picks one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl ServeArgs {
    /// Runs the command.
    pub(crate) fn run(self) -> Exit {
        server::init_logging();
        runtime::run(async {
            let config = Config::load(self.config.as_deref())?;
            server::serve(config, self.data.as_deref(), self.listen).await
        })
    }
}
