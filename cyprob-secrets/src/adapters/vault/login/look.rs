//! What can be seen of a login without signing in.

use std::path::Path;

use secrecy::SecretString;

use super::{SecretId, VaultLogin, source};
use crate::adapters::vault::fault::Fault;
use crate::adapters::vault::transport::Transport;

/// What signing in uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::adapters::vault) enum Spends {
    Nothing,
    /// One use of a secret id, which may be its only one.
    SecretId,
    /// A wrapping token, which gives its secret id once.
    Wrapping,
}

impl VaultLogin {
    /// The file that it reads, if it reads one.
    pub(in crate::adapters::vault) fn file(&self) -> Option<&Path> {
        match self {
            Self::AppRole(role) => match &role.secret_id {
                SecretId::Given(_) => None,
                SecretId::File(path) | SecretId::Wrapped(path) => Some(path),
            },
            Self::Kubernetes(account) => Some(&account.token),
            Self::TokenFile(file) => Some(&file.0),
        }
    }

    /// What the file holds, read as at a login.
    pub(in crate::adapters::vault) fn read(&self) -> Option<Result<SecretString, Fault>> {
        let path = self.file()?;
        Some(match self {
            Self::Kubernetes(_) => source::projected(path),
            _ => source::private(path),
        })
    }

    pub(in crate::adapters::vault) const fn spends(&self) -> Spends {
        match self {
            Self::AppRole(role) => match &role.secret_id {
                SecretId::Given(_) | SecretId::File(_) => Spends::SecretId,
                SecretId::Wrapped(_) => Spends::Wrapping,
            },
            Self::Kubernetes(_) | Self::TokenFile(_) => Spends::Nothing,
        }
    }

    /// Makes sure that a wrapping token is as it was delivered, and takes nothing out.
    pub(in crate::adapters::vault) async fn look_up_wrapping(
        &self,
        transport: &Transport,
        token: &SecretString,
    ) -> Result<(), Fault> {
        match self {
            Self::AppRole(role) => role.look_up(transport, token).await,
            Self::Kubernetes(_) | Self::TokenFile(_) => Ok(()),
        }
    }
}
