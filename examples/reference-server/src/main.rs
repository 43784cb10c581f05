//! The reference server of the cyprob control plane, binary `cyprob`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
