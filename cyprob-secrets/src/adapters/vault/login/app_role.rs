//! Logging in as a role of machines.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{APP_ROLE, LoginRefusal, refused, source};
use crate::adapters::vault::endpoints::{LogInByAppRole, LookUpWrapping, Unwrap};
use crate::adapters::vault::fault::{Complaint, Fault};
use crate::adapters::vault::token::{self, Issued};
use crate::adapters::vault::transport::Transport;
use crate::adapters::vault::{VaultAuthMount, VaultName};

/// A role, and where its secret id comes from.
pub struct AppRole {
    mount: VaultAuthMount,
    role_id: String,
    role_name: Option<VaultName>,
    pub(super) secret_id: SecretId,
    unwrapped: Mutex<Option<Unwrapped>>,
}

/// Where the secret id of a role comes from.
#[derive(Clone)]
pub enum SecretId {
    /// The host has it.
    Given(SecretString),
    /// A private file holds it; it is read at each login.
    File(PathBuf),
    /// A private file holds a wrapping token, from which it is taken out once.
    ///
    /// Whoever was faster than we are is noticed: the login is refused with
    /// [`LoginRefusal::AlreadyUnwrapped`]. A new wrapping token in the file is
    /// taken up at the next login.
    Wrapped(PathBuf),
}

/// A secret id, and the digest of the token that it came in.
struct Unwrapped {
    wrapping: [u8; 32],
    secret_id: SecretString,
}

#[derive(Deserialize)]
struct Wrapping {
    creation_path: String,
}

#[derive(Deserialize)]
struct Wrapped {
    secret_id: SecretString,
}

impl SecretId {
    /// The secret id is in this file.
    #[must_use]
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// A token that wraps the secret id is in this file.
    #[must_use]
    pub fn wrapped_in(path: impl Into<PathBuf>) -> Self {
        Self::Wrapped(path.into())
    }
}

impl AppRole {
    /// Logs in with this role id to the method that is mounted at `approle`.
    #[must_use]
    pub fn new(role_id: impl Into<String>, secret_id: SecretId) -> Self {
        Self {
            mount: VaultAuthMount::known(APP_ROLE),
            role_id: role_id.into(),
            role_name: None,
            secret_id,
            unwrapped: Mutex::new(None),
        }
    }

    /// Where the method is mounted below `auth/`.
    #[must_use]
    pub fn mount(mut self, mount: VaultAuthMount) -> Self {
        self.mount = mount;
        self
    }

    /// The name of the role; a wrapping token must then have been made for this very role.
    #[must_use]
    pub fn role_name(mut self, name: VaultName) -> Self {
        self.role_name = Some(name);
        self
    }

    pub(super) async fn log_in(&self, transport: &Transport) -> Result<Issued, Fault> {
        let secret_id = self.secret_id(transport).await?;
        let login = transport.prepare(LogInByAppRole {
            mount: self.mount.to_string(),
            role_id: self.role_id.clone(),
            secret_id: secret_id.expose_secret().to_owned(),
        })?;
        let reply = transport.send(&login, None).await.map_err(refused)?;
        Issued::of_login(&reply)
    }

    async fn secret_id(&self, transport: &Transport) -> Result<SecretString, Fault> {
        match &self.secret_id {
            SecretId::Given(secret_id) => Ok(secret_id.clone()),
            SecretId::File(path) => source::private(path),
            SecretId::Wrapped(path) => {
                let token = source::private(path)?;
                let wrapping = Sha256::digest(token.expose_secret()).into();
                if let Some(secret_id) = self.unwrapped_from(&wrapping) {
                    return Ok(secret_id);
                }
                let secret_id = self.unwrap(transport, &token).await?;
                *self.kept() = Some(Unwrapped {
                    wrapping,
                    secret_id: secret_id.clone(),
                });
                Ok(secret_id)
            }
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Unwrapped>> {
        self.unwrapped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn unwrapped_from(&self, wrapping: &[u8; 32]) -> Option<SecretString> {
        let kept = self.kept();
        let same = kept.as_ref().filter(|kept| kept.wrapping == *wrapping);
        same.map(|kept| kept.secret_id.clone())
    }

    /// Takes the secret id out, once it is clear that the token wraps one of this role.
    async fn unwrap(
        &self,
        transport: &Transport,
        token: &SecretString,
    ) -> Result<SecretString, Fault> {
        self.look_up(transport, token).await?;
        let unwrap = transport.prepare(Unwrap {})?;
        let header = token::header(token)?;
        let reply = transport
            .send(&unwrap, Some(&header))
            .await
            .map_err(taken)?;
        Ok(reply.data::<Wrapped>()?.secret_id)
    }

    /// Makes sure that the token wraps a secret id of this role, and takes nothing out.
    pub(super) async fn look_up(
        &self,
        transport: &Transport,
        token: &SecretString,
    ) -> Result<(), Fault> {
        let lookup = transport.prepare(LookUpWrapping {
            token: token.expose_secret().to_owned(),
        })?;
        let looked = transport.send(&lookup, None).await.map_err(taken)?;
        let Wrapping { creation_path } = looked.data()?;
        if !self.wraps(&creation_path) {
            return Err(LoginRefusal::ForeignWrapping.into());
        }
        Ok(())
    }

    /// Whether this is the place at which the role's secret ids are made.
    fn wraps(&self, creation_path: &str) -> bool {
        let below = format!("auth/{}/role/", self.mount);
        // From its very beginning: elsewhere anybody may have a place of that name.
        let Some(rest) = creation_path.strip_prefix(&below) else {
            return false;
        };
        match (rest.strip_suffix("/secret-id"), &self.role_name) {
            (Some(made_for), Some(name)) => made_for == name.as_str(),
            (Some(made_for), None) => !made_for.contains('/'),
            (None, _) => false,
        }
    }
}

/// A wrapping token that is not valid is an alarm.
fn taken(fault: Fault) -> Fault {
    match fault {
        Fault::Rejected(Complaint::Wrapping) | Fault::Denied | Fault::Missing { .. } => {
            LoginRefusal::AlreadyUnwrapped.into()
        }
        other => refused(other),
    }
}

impl fmt::Debug for AppRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppRole")
            .field("mount", &self.mount)
            .field("role_name", &self.role_name)
            .field("secret_id", &self.secret_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given([REDACTED])"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Wrapped(path) => f.debug_tuple("Wrapped").field(path).finish(),
        }
    }
}
