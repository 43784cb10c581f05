//! Logs: text on a terminal, JSON lines otherwise, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Starts logging at `info`, or at what `CYPROB_LOG` says. A second call changes nothing.
pub(crate) fn init() {
    init_at("info,sqlx=warn");
}

/// The same at `warn`, for commands whose output is for people.
pub(crate) fn init_quiet() {
    init_at("warn");
}

fn init_at(level: &str) {
    let filter = EnvFilter::try_from_env("CYPROB_LOG").unwrap_or_else(|_| EnvFilter::new(level));
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
