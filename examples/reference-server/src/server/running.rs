//! A server at work: started as a whole, ended as a whole.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cyprob::Background;
use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::deployment::DEFAULT_LISTEN;
use super::{Backend, BootstrapFile, Deployment, Listener, ServeError, bootstrap};
use crate::config::{Config, Header};

/// A server that listens; end it with [`stop`](Self::stop).
#[derive(Debug)]
pub(crate) struct Running {
    url: String,
    bootstrap_token: Option<SecretString>,
    bootstrap_file: PathBuf,
    backend: Backend,
    background: Background,
    renewal: Option<JoinHandle<()>>,
    listening: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Opens the data directory, binds the address and begins to answer.
    ///
    /// # Errors
    ///
    /// [`ServeError`]; nothing runs then.
    pub(crate) async fn start(
        config: &Config,
        data: Option<&Path>,
        listen: Option<SocketAddr>,
    ) -> Result<Self, ServeError> {
        let address = listen.or(config.listen).unwrap_or(DEFAULT_LISTEN);
        // An address that is refused is told before anything is touched.
        let header = config.client_address_header.clone();
        let listener = Listener::bind(address)
            .await?
            .behind_proxy(header.map(|Header(name)| name));
        let Deployment {
            data,
            backend,
            plane,
        } = Deployment::open(config, data).await?;
        let (router, _) = cyprob::http::router(plane.clone())?;
        let background = plane.start().await?;
        let file = BootstrapFile::of(&data);
        let bootstrap_file = file.path().to_owned();
        let bootstrap_token = bootstrap::arm(&plane, &file).await?;
        let renewal = bootstrap_token
            .is_some()
            .then(|| tokio::spawn(bootstrap::keep(plane, file)));
        let (stop, mut stopped) = watch::channel(false);
        let url = listener.url();
        let ended = async move {
            // A sender that is gone ends it as well.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let listening = tokio::spawn(listener.serve(router, ended));
        Ok(Self {
            url,
            bootstrap_token,
            bootstrap_file,
            backend,
            background,
            renewal,
            listening,
            stop,
        })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The one-time token, while no administrator existed at the start.
    pub(crate) const fn bootstrap_token(&self) -> Option<&SecretString> {
        self.bootstrap_token.as_ref()
    }

    /// The file that holds the one-time token.
    pub(crate) fn bootstrap_file(&self) -> &Path {
        &self.bootstrap_file
    }

    /// Where the audit logs are published.
    pub(crate) fn audit_directory(&self) -> &Path {
        self.backend.audit_directory()
    }

    /// Ends in order: requests, background work, logs, database.
    ///
    /// # Errors
    ///
    /// [`ServeError::Store`] if the end could not be recorded.
    pub(crate) async fn stop(self) -> Result<(), ServeError> {
        self.stop.send_replace(true);
        // It ends early only by a panic, which was logged.
        let _ = self.listening.await;
        if let Some(renewal) = self.renewal {
            renewal.abort();
        }
        let stopped = self.background.stop().await;
        self.backend.close().await;
        tracing::info!("ended in order");
        Ok(stopped?)
    }
}
