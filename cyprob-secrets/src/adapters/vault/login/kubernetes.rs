//! Logging in as a service account of Kubernetes.

use std::path::PathBuf;

use secrecy::ExposeSecret;

use super::{KUBERNETES, refused, source};
use crate::adapters::vault::endpoints::LogInByJwt;
use crate::adapters::vault::fault::Fault;
use crate::adapters::vault::token::Issued;
use crate::adapters::vault::transport::Transport;
use crate::adapters::vault::{VaultAuthMount, VaultName};

/// The service account of this pod, whose token the platform projects into a file.
///
/// The file is read at each login, since the platform replaces it. What it
/// links to and who may read it is the platform's business, and not checked.
///
/// Whatever the server does not like about the token, it says the same: a
/// service account that the role does not allow, a token that is over, and a
/// Kubernetes that it cannot ask are all
/// [`NotAccepted`](super::LoginRefusal::NotAccepted).
#[derive(Clone, Debug)]
pub struct Kubernetes {
    mount: VaultAuthMount,
    role: VaultName,
    pub(super) token: PathBuf,
}

impl Kubernetes {
    /// Where the platform puts the token unless it is told otherwise.
    pub const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

    /// Logs in as this role of the method that is mounted at `kubernetes`.
    #[must_use]
    pub fn new(role: VaultName) -> Self {
        Self {
            mount: VaultAuthMount::known(KUBERNETES),
            role,
            token: PathBuf::from(Self::TOKEN),
        }
    }

    /// Where the method is mounted below `auth/`.
    #[must_use]
    pub fn mount(mut self, mount: VaultAuthMount) -> Self {
        self.mount = mount;
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
            mount: self.mount.to_string(),
            role: self.role.to_string(),
            jwt: token.expose_secret().to_owned(),
        })?;
        let reply = transport.send(&login, None).await.map_err(refused)?;
        Issued::of_login(&reply)
    }
}
