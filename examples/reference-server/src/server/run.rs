//! Serving: open, listen, serve, end in order.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};

use super::deployment::DEFAULT_LISTEN;
use super::{BootstrapFile, Deployment, Listener, ServeError, bootstrap};
use crate::config::Config;

/// Serves until Ctrl-C or SIGTERM, then ends in order: requests, background work, database.
///
/// # Errors
///
/// [`ServeError`] if it cannot start, or if its end could not be recorded.
pub(crate) async fn serve(
    config: Config,
    data: Option<&Path>,
    listen: Option<SocketAddr>,
) -> Result<(), ServeError> {
    let address = listen.or(config.listen).unwrap_or(DEFAULT_LISTEN);
    // An address that is refused is told before anything is touched.
    let listener = Listener::bind(address).await?;
    let Deployment {
        data,
        embedded,
        plane,
    } = Deployment::open(&config, data).await?;
    let (router, _) = cyprob::http::router(plane.clone())?;
    let ended = ended().map_err(ServeError::System)?;
    let background = plane.start().await?;

    let file = BootstrapFile::of(&data);
    let renewal = match bootstrap::arm(&plane, &file).await? {
        Some(token) => {
            let url = listener.url();
            announce(&format!(
                "no administrator yet: the one-time token is in {}\n{url}/#bootstrap={}",
                file.path().display(),
                token.expose_secret()
            ));
            Some(tokio::spawn(bootstrap::keep(plane.clone(), file)))
        }
        None => None,
    };
    announce(&format!("listening on {}", listener.url()));
    listener.serve(router, ended).await;

    if let Some(renewal) = renewal {
        renewal.abort();
    }
    let stopped = background.stop().await;
    drop(plane);
    embedded.close().await;
    tracing::info!("ended in order");
    Ok(stopped?)
}

/// Resolves at the first Ctrl-C or SIGTERM.
fn ended() -> std::io::Result<impl Future<Output = ()>> {
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
