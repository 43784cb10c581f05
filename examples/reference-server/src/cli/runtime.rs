//! Running a command that waits: one runtime, one place that prints why it failed.

use cyprob::error_chain;

use super::Exit;
use crate::server::ServeError;

/// Runs to the end; a failure goes to standard error with its causes and its remedy.
#[expect(
    clippy::print_stderr,
    reason = "the command's own message to who typed it"
)]
pub(crate) fn run(command: impl Future<Output = Result<(), ServeError>>) -> Exit {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => Err(ServeError::System(error)),
    };
    match ended {
        Ok(()) => Exit::Held,
        Err(error) => {
            eprintln!("cyprob: {}", error_chain(&error));
            error.exit()
        }
    }
}
