//! Logging in as a service account of Kubernetes.

use std::path::PathBuf;

use secrecy::ExposeSecret;

use super::{refused, source};
use crate::adapters::vault::endpoints::LogInByJwt;
use crate::adapters::vault::fault::Fault;
use crate::adapters::vault::token::Issued;
use crate::adapters::vault::transport::Transport;

/// The service account of this pod, whose token the platform projects into a file.
///
/// The file is read at each login, since the platform replaces it. What it
/// links to and who may read it is the platform's business, and not checked.
#[derive(Clone, Debug)]
pub struct Kubernetes {
    mount: String,
    role: String,
    token: PathBuf,
}

impl Kubernetes {
    /// Where the platform puts the token unless it is told otherwise.
    pub const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

    /// Logs in as this role of the method that is mounted at `kubernetes`.
    #[must_use]
    pub fn new(role: impl Into<String>) -> Self {
        Self {
            mount: "kubernetes".to_owned(),
            role: role.into(),
            token: PathBuf::from(Self::TOKEN),
        }
    }

    /// Where the method is mounted below `auth/`.
    #[must_use]
    pub fn mount(mut self, mount: impl Into<String>) -> Self {
        self.mount = mount.into();
        self
    }

    /// Where the projected token is.
    #[must_use]
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token = path.into();
        self
    }

    pub(super) async fn log_in(&self, transport: &Transport) -> Result<Issued, Fault> {
        let token = source::projected(&self.token)?;
        let login = transport.prepare(LogInByJwt {
            mount: self.mount.clone(),
            role: self.role.clone(),
            jwt: token.expose_secret().to_owned(),
        })?;
        let reply = transport.send(&login, None).await.map_err(refused)?;
        Issued::of_login(&reply)
    }
}
