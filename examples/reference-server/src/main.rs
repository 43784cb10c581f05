//! The reference server of the cyprob control plane, binary `cyprob`.

mod bounded;
mod cli;
mod config;
mod demo;
mod server;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
