//! The worker's side.

use std::io::{Read, Write};

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

use super::frame::{FrameError, read_frame, write_frame};
use super::message::{JobMessage, MessageError, ReportMessage};
use crate::ports::{Report, Verdict};

/// The limits that a worker sets for itself, before it reads anything.
///
/// Memory and time are far above what the engine's own limits let a job take;
/// files and core dumps are none at all, nor are child processes, unless the
/// worker runs as root, to whom the kernel does not apply that limit.
const LIMITS: [(Resource, u64); 6] = [
    (Resource::As, 1 << 30),
    (Resource::Cpu, 600),
    (Resource::Fsize, 0),
    (Resource::Nofile, 3),
    (Resource::Nproc, 0),
    (Resource::Core, 0),
];

/// Why a worker ends without a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerFailure {
    /// It cannot limit itself, so it does not begin.
    #[error("the worker cannot limit itself")]
    Limits(#[source] rustix::io::Errno),
    /// The control plane cannot be heard or spoken to.
    #[error("the control plane cannot be reached")]
    Frame(#[source] FrameError),
    /// What it said is no job.
    #[error("the control plane sent no job")]
    Message(#[source] MessageError),
}

/// Gives up what a job does not need, then does one job.
///
/// # Errors
///
/// [`WorkerFailure`]; the control plane notices by itself.
pub fn serve(
    mut from: impl Read,
    mut to: impl Write,
    run: impl FnOnce(&JobMessage) -> Verdict,
) -> Result<(), WorkerFailure> {
    // Without a control plane nobody would take the result.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(WorkerFailure::Limits)?;
    for (resource, most) in LIMITS {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit).map_err(WorkerFailure::Limits)?;
    }
    let bytes = read_frame(&mut from).map_err(WorkerFailure::Frame)?;
    let job = JobMessage::parse(&bytes).map_err(WorkerFailure::Message)?;
    drop(bytes);
    let verdict = run(&job);
    let report = Report {
        token: job.token.clone(),
        run: job.run.clone(),
        verdict,
    };
    let bytes = ReportMessage::encode(&report).map_err(WorkerFailure::Message)?;
    write_frame(&mut to, &bytes).map_err(WorkerFailure::Frame)
}
