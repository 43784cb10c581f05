//! `serve`: run until asked to end.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};

use super::{Running, ServeError};
use crate::config::Config;

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
///
/// [`ServeError`] if it cannot start, or if its end could not be recorded.
pub(crate) async fn serve(
    config: Config,
    data: Option<&Path>,
    listen: Option<SocketAddr>,
) -> Result<(), ServeError> {
    let ended = ended().map_err(ServeError::System)?;
    let running = Running::start(&config, data, listen).await?;
    if let Some(token) = running.bootstrap_token() {
        announce(&format!(
            "no administrator yet: the one-time token is in {}\n{}/#bootstrap={}",
            running.bootstrap_file().display(),
            running.url(),
            token.expose_secret()
        ));
    }
    announce(&format!("listening on {}", running.url()));
    ended.await;
    running.stop().await
}

/// Resolves at the first Ctrl-C or SIGTERM.
pub(crate) fn ended() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// A line for the operator, on standard output.
fn announce(text: &str) {
    // A closed standard output is no reason to stop serving.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
