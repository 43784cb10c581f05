//! The section `[vault]`: where a Vault is, and how we log in to it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cyprob::secrets::adapters::vault::{
    AppRole, Kubernetes, KvVersion, SecretId, TokenFile, Vault, VaultAddressError, VaultAuthMount,
    VaultBuilder, VaultLogin, VaultMount, VaultName, VaultNamespace,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::parsed::Parsed;

/// What the section can say.
///
/// Nothing in it takes a risk that a connection refuses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VaultConfig {
    /// `https://HOST:PORT`; if it has a password by mistake, that is not shown.
    address: SecretString,
    /// The authorities that vouch for the server, in PEM; those of the system by default.
    ca_file: Option<PathBuf>,
    /// The namespace.
    namespace: Option<Parsed<VaultNamespace>>,
    /// The key-value engines that are read: the version, 1 or 2, of each mount.
    #[serde(default)]
    kv: BTreeMap<Parsed<VaultMount>, Version>,
    /// A login: by a role of machines.
    app_role: Option<AppRoleConfig>,
    /// A login: by a service account.
    kubernetes: Option<KubernetesConfig>,
    /// A login: by a token that another program keeps.
    token_file: Option<TokenFileConfig>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AppRoleConfig {
    /// Where the method is mounted; `approle` by default.
    mount: Option<Parsed<VaultAuthMount>>,
    role_id: String,
    role_name: Parsed<VaultName>,
    secret_id_file: PathBuf,
    /// Whether the file holds a wrapping token in place of the secret id itself.
    wrapped: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KubernetesConfig {
    /// Where the method is mounted; `kubernetes` by default.
    mount: Option<Parsed<VaultAuthMount>>,
    role: Parsed<VaultName>,
    token_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFileConfig {
    path: PathBuf,
}

/// The version of a key-value engine.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u8")]
struct Version(KvVersion);

impl TryFrom<u8> for Version {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self(KvVersion::V1)),
            2 => Ok(Self(KvVersion::V2)),
            _ => Err("the version of a key-value engine is 1 or 2"),
        }
    }
}

/// The section cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultConfigError {
    /// The address is none.
    #[error("[vault] address: {0}")]
    Address(#[from] VaultAddressError),
    /// There is no login, or more than one.
    #[error(
        "[vault] needs one of [vault.app_role], [vault.kubernetes] and [vault.token_file], and has {0}"
    )]
    Login(usize),
}

impl VaultConfig {
    /// How a connection is made.
    ///
    /// # Errors
    ///
    /// [`VaultConfigError`] with the key and the remedy.
    pub(crate) fn builder(&self) -> Result<VaultBuilder<VaultLogin>, VaultConfigError> {
        let login = self.login()?;
        let mut builder = Vault::builder(self.address.expose_secret().parse()?);
        if let Some(path) = &self.ca_file {
            builder = builder.ca_file(path);
        }
        if let Some(Parsed(namespace)) = &self.namespace {
            builder = builder.namespace(namespace.clone());
        }
        Ok(builder.login(login))
    }

    /// The key-value engines that are read.
    pub(crate) fn mounts(&self) -> BTreeMap<VaultMount, KvVersion> {
        let mounts = self.kv.iter();
        mounts
            .map(|(Parsed(mount), Version(version))| (mount.clone(), *version))
            .collect()
    }

    /// Whether another program keeps the token.
    pub(crate) const fn is_kept_by_another(&self) -> bool {
        self.token_file.is_some()
    }

    fn login(&self) -> Result<VaultLogin, VaultConfigError> {
        let app_role = self.app_role.as_ref().map(AppRoleConfig::login);
        let kubernetes = self.kubernetes.as_ref().map(KubernetesConfig::login);
        let token = self.token_file.as_ref();
        let token = token.map(|file| TokenFile::new(&file.path).into());
        let mut logins: Vec<_> = [app_role, kubernetes, token]
            .into_iter()
            .flatten()
            .collect();
        match (logins.pop(), logins.len()) {
            (Some(login), 0) => Ok(login),
            (Some(_), others) => Err(VaultConfigError::Login(others + 1)),
            (None, _) => Err(VaultConfigError::Login(0)),
        }
    }
}

impl AppRoleConfig {
    fn login(&self) -> VaultLogin {
        let secret_id = match self.wrapped {
            true => SecretId::wrapped_in(&self.secret_id_file),
            false => SecretId::in_file(&self.secret_id_file),
        };
        let role = AppRole::new(self.role_id.as_str(), secret_id);
        let role = role.role_name(self.role_name.0.clone());
        match &self.mount {
            Some(Parsed(mount)) => role.mount(mount.clone()).into(),
            None => role.into(),
        }
    }
}

impl KubernetesConfig {
    fn login(&self) -> VaultLogin {
        let mut account = Kubernetes::new(self.role.0.clone());
        if let Some(Parsed(mount)) = &self.mount {
            account = account.mount(mount.clone());
        }
        if let Some(path) = &self.token_file {
            account = account.token_file(path);
        }
        account.into()
    }
}
