//! `cyprob worker`: one job, started by a control plane.

use cyprob::error_chain;

use super::Exit;

/// Runs the command. What fails goes to standard error, which the control plane logs.
#[expect(clippy::print_stderr, reason = "a worker has no log of its own")]
pub(crate) fn run() -> Exit {
    match cyprob::run_worker() {
        Ok(()) => Exit::Held,
        Err(error) => {
            eprintln!("{}", error_chain(&error));
            Exit::Unavailable
        }
    }
}
