//! Logs: text on a terminal, JSON lines otherwise, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Starts logging at `info`, or at what `CYPROB_LOG` says. A second call changes nothing.
pub(crate) fn init() {
    let filter =
        EnvFilter::try_from_env("CYPROB_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let terminal = std::io::stderr().is_terminal();
    let log = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    // A subscriber that is set already belongs to the host and stays.
    let _ = if terminal {
        log.try_init()
    } else {
        log.json().try_init()
    };
}
