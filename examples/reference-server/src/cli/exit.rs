//! Exit statuses that every command shares.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything held.
    Held,
    /// There are findings or failed checks.
    Findings,
    /// Wrong use or bad input.
    BadInput,
    /// A part is unavailable.
    Unavailable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Held => 0,
            Exit::Findings => 1,
            Exit::BadInput => 2,
            Exit::Unavailable => 3,
        })
    }
}
