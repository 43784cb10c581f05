//! The worker: a process of its own that a control plane starts for one job.

use std::io::{stdin, stdout};

use cyprob_plugins::adapters::Files;
use cyprob_plugins::adapters::worker::{WorkerFailure, serve};
use cyprob_plugins::service::runs::evaluate;

/// Does the one job that comes in on standard input and reports on standard output.
///
/// Call it first thing in the program that
/// [`worker_command`](crate::ControlPlaneBuilder::worker_command) names: it
/// gives up files, child processes and core dumps before it reads a byte.
///
/// # Errors
///
/// [`WorkerFailure`]; the control plane notices by itself.
pub fn run_worker() -> Result<(), WorkerFailure> {
    serve(stdin().lock(), stdout().lock(), |job| {
        evaluate(&job.files, job.rule_set, &job.facts, &Files)
    })
}
