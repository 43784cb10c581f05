//! The command line: one file per command, dispatched here.

mod audit;
mod exit;
mod plugin;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use exit::Exit;

/// The security control plane's reference server and its tools.
#[derive(Debug, Parser)]
#[command(name = "cyprob", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge audit logs and proofs; no server needed.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Work on plugin files; no server needed.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
}

/// Reads the command line and runs its command.
pub(crate) fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Audit(command) => command.run(),
        Command::Plugin(command) => command.run().into(),
    }
}
