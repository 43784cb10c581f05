//! `cyprob admin ...`: what the one who owns the machine may do.

mod keys;
mod users;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Exit, runtime};
use crate::config::Config;
use crate::server::{self, BootstrapFile, DEFAULT_DATA, DataDir, Deployment, ServeError};
use keys::KeyCommand;
use users::{UserArgs, UserCommand};

/// What the one who owns the machine may do.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Draw a fresh one-time token while no administrator exists; the server must not run.
    ///
    /// A running server renews the token by itself and keeps it in DIR/bootstrap-token.
    Bootstrap(Place),
    /// Look at accounts, switch one off or on; the server must not run.
    #[command(subcommand)]
    User(UserCommand),
    /// Look at the keys that sign tokens, rotate and revoke them; servers may run.
    #[command(subcommand)]
    Keys(KeyCommand),
    /// Draw a one-time token that sets an administrator's password; the server must not run.
    ///
    /// The second factor stays as it is.
    Recover(UserArgs),
}

/// Where.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// A configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory; ./cyprob-data by default.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Place {
    /// The data directory of a deployment and the file of its master key; nothing is made.
    pub(super) fn keys(&self) -> Result<(DataDir, PathBuf), ServeError> {
        self.keys_of(self.configuration()?)
    }

    /// What the configuration file says.
    pub(super) fn configuration(&self) -> Result<Config, ServeError> {
        Ok(Config::load(self.config.as_deref())?)
    }

    /// The configuration file, if one is named.
    pub(super) fn config_file(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// As `keys`, of a configuration that was read.
    pub(super) fn keys_of(&self, config: Config) -> Result<(DataDir, PathBuf), ServeError> {
        let named = self.data.as_deref().or(config.data.as_deref());
        let path = named.unwrap_or(Path::new(DEFAULT_DATA));
        if !path.is_dir() {
            let path = path.to_owned();
            return Err(cyprob::DirectoryError::NoDeployment { path }.into());
        }
        let data = DataDir::open(path)?;
        let master_key = match config.master_key_file {
            Some(file) => file,
            None => data.join("master-key"),
        };
        Ok((data, master_key))
    }
}

impl AdminCommand {
    /// Runs the command.
    pub(crate) fn run(self) -> Exit {
        server::init_logging();
        match self {
            Self::Bootstrap(args) => runtime::run(bootstrap(args)),
            Self::User(command) => runtime::run(users::run(command)),
            Self::Keys(command) => runtime::run(keys::run(command)),
            Self::Recover(args) => runtime::run(users::recover(args)),
        }
    }
}

async fn bootstrap(args: Place) -> Result<(), ServeError> {
    let config = Config::load(args.config.as_deref())?;
    let Deployment {
        data,
        backend,
        plane,
    } = Deployment::open(&config, args.data.as_deref()).await?;
    let file = BootstrapFile::of(&data);
    let token = server::arm_bootstrap(&plane, &file).await;
    drop(plane);
    backend.close().await;
    let line = match token? {
        Some(_) => format!(
            "the one-time token, good for 30 minutes, is in {}",
            file.path().display()
        ),
        None => return Err(ServeError::Bootstrapped),
    };
    // Nobody reads a closed standard output; the file is there all the same.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
    Ok(())
}
