//! The command line: one file per command, dispatched here.

mod admin;
mod audit;
mod demo;
mod exit;
mod migrate;
mod plugin;
mod policy;
mod routes;
mod runtime;
mod secrets;
mod serve;
mod token;
mod worker;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use exit::Exit;
pub(crate) use secrets::SecretsError;

/// The security control plane's reference server and its tools.
#[derive(Debug, Parser)]
#[command(name = "cyprob", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What the one who owns the machine may do.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Judge audit logs and proofs; no server needed.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Walk through the whole control plane, step by step, then serve it.
    Demo(demo::DemoArgs),
    /// Bring the tables in PostgreSQL up to date, as the role that owns them.
    Migrate(migrate::MigrateArgs),
    /// Work on plugin files; no server needed.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Judge the roles of a deployment: check, compare, ask who can do what; no server needed.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Print every route with its policy, and the matrix of roles and routes.
    Routes(routes::RoutesArgs),
    /// Read, write and list secrets, and rotate the keys that seal them; servers may run.
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// Serve the control plane.
    Serve(serve::ServeArgs),
    /// Work on tokens; no server needed.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Do one job over standard input and output; a control plane starts this.
    Worker,
}

/// Reads the command line and runs its command.
pub(crate) fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Admin(command) => command.run().into(),
        Command::Audit(command) => command.run(),
        Command::Demo(args) => args.run().into(),
        Command::Migrate(args) => args.run().into(),
        Command::Plugin(command) => command.run().into(),
        Command::Policy(command) => command.run().into(),
        Command::Routes(args) => args.run().into(),
        Command::Secrets(command) => command.run().into(),
        Command::Serve(args) => args.run().into(),
        Command::Token(command) => command.run().into(),
        Command::Worker => worker::run().into(),
    }
}
