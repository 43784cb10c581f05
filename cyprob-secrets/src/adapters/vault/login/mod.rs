//! How a connection comes by a token.

mod app_role;
mod kubernetes;
mod look;
mod source;
mod token_file;

use super::VaultRisk;
use super::fault::Fault;
use super::token::Issued;
use super::transport::Transport;
use crate::ports::Refusal;

pub use app_role::{AppRole, SecretId};
pub use kubernetes::Kubernetes;
pub(super) use look::Spends;
pub use token_file::TokenFile;

/// Where the methods are mounted unless one is told otherwise.
pub(super) const APP_ROLE: &str = "approle";
pub(super) const KUBERNETES: &str = "kubernetes";

/// A way to log in to a Vault.
#[derive(Debug)]
#[non_exhaustive]
pub enum VaultLogin {
    /// As a role of machines, by its id and a secret id.
    AppRole(AppRole),
    /// As a service account of Kubernetes, by its projected token.
    Kubernetes(Kubernetes),
    /// By a token that another program (an agent) keeps in a file.
    TokenFile(TokenFile),
}

/// Why a login was not tried, or not accepted; its text names the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginRefusal {
    /// The server does not accept it.
    #[error(
        "the server does not accept the login: unknown, expired or used up; issue a new secret id or token, or mend the role; with Kubernetes, see that the server reaches its API"
    )]
    NotAccepted,
    /// The wrapped secret id was taken out before: an alarm.
    #[error(
        "the secret id was unwrapped before, or its wrapping has expired: somebody else may hold it; revoke it, find out who unwrapped it, and deliver a new one"
    )]
    AlreadyUnwrapped,
    /// The wrapping token wraps something else: an alarm.
    #[error(
        "the wrapping token was not made by the role's own secret-id endpoint: somebody may have put another in its place; deliver a new one"
    )]
    ForeignWrapping,
    /// The file of the token or secret id is not there.
    #[error("the file of the token or secret id is missing; deliver it")]
    FileMissing,
    /// The file of the token or secret id is not acceptable.
    #[error("the file of the token or secret id: {0}")]
    File(Refusal),
    /// What the file holds is no token.
    #[error("the file of the token or secret id holds no single line of printable ASCII")]
    NotAToken,
    /// The token takes a risk that the host does not.
    #[error("{0}")]
    Risk(VaultRisk),
}

impl VaultLogin {
    pub(super) async fn log_in(&self, transport: &Transport) -> Result<Issued, Fault> {
        match self {
            Self::AppRole(role) => role.log_in(transport).await,
            Self::Kubernetes(account) => account.log_in(transport).await,
            Self::TokenFile(file) => file.log_in(transport).await,
        }
    }
}

impl From<AppRole> for VaultLogin {
    fn from(role: AppRole) -> Self {
        Self::AppRole(role)
    }
}

impl From<Kubernetes> for VaultLogin {
    fn from(account: Kubernetes) -> Self {
        Self::Kubernetes(account)
    }
}

impl From<TokenFile> for VaultLogin {
    fn from(file: TokenFile) -> Self {
        Self::TokenFile(file)
    }
}

/// A login that the server answered with no is refused; whatever else came of it stays as it is.
fn refused(fault: Fault) -> Fault {
    match fault {
        Fault::Denied | Fault::Missing { .. } | Fault::NoPlace | Fault::Rejected(_) => {
            LoginRefusal::NotAccepted.into()
        }
        other => other,
    }
}
