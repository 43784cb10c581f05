//! `cyprob migrate`: the tables in PostgreSQL, as the role that owns them.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use cyprob::core::adapters::postgres::Migrated;

use super::{Exit, runtime};
use crate::config::{Config, PostgresConfigError};
use crate::server::{self, ServeError};

/// The roles under the names that the documentation uses.
const ROLES: &str = include_str!("roles.sql");

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// A configuration file (TOML) with the section [postgres] and its key owner_url.
    #[arg(long, value_name = "FILE", required_unless_present = "print_roles")]
    config: Option<PathBuf>,
    /// Print the SQL that makes the three roles and the database, and do nothing.
    #[arg(long, conflicts_with = "config")]
    print_roles: bool,
}

impl MigrateArgs {
    /// Runs the command.
    pub(crate) fn run(self) -> Exit {
        server::init_logging();
        runtime::run(self.migrate())
    }

    async fn migrate(self) -> Result<(), ServeError> {
        if self.print_roles {
            return say(ROLES);
        }
        let config = Config::load(self.config.as_deref())?;
        let postgres = config.postgres.ok_or(PostgresConfigError::Missing)?;
        let runtime = postgres.runtime()?;
        for step in server::migrate(&postgres, &runtime).await? {
            say(&line(step))?;
        }
        say(&format!(
            "{} may work and {} may read",
            runtime.role(),
            postgres.auditor()
        ))
    }
}

fn line(step: Migrated) -> String {
    let Migrated {
        component,
        from,
        to,
    } = step;
    if from == to {
        format!("{component}: schema {to}, up to date")
    } else {
        format!("{component}: schema {from} to {to}")
    }
}

fn say(text: &str) -> Result<(), ServeError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end()).map_err(ServeError::System)
}
