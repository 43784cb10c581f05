//! `cyprob secrets get`: one value, and nothing else, on standard output.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use clap::Args;
use cyprob::core::domain::audit::Resource;
#[cfg(feature = "aws")]
use cyprob::secrets::adapters::aws::AwsProvider;
use cyprob::secrets::adapters::env::{EnvPrefix, EnvProvider};
use cyprob::secrets::adapters::file::FileProvider;
use cyprob::secrets::domain::{EnvName, LocalRef, Scheme, SecretRef};
use cyprob::secrets::ports::{Secret, SecretError, SecretProvider};
use cyprob::secrets::service::SecretResolver;
use secrecy::ExposeSecret as _;

use super::{Guarded, SecretsError};
use crate::server::ServeError;

/// Which secret.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// A name in the data directory's store, or a reference.
    ///
    /// References are `local://NAME?version=N`, `file:///PATH`, `env://VARIABLE` and, of what the
    /// configuration names, `vault://MOUNT/PATH#FIELD` and `awssm://NAME#KEY?stage=STAGE`.
    #[arg(value_name = "NAME|REFERENCE")]
    secret: String,
    /// Show the value even if standard output is a terminal.
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    guarded: Guarded,
}

impl GetArgs {
    /// Runs the command.
    pub(crate) async fn run(self) -> Result<(), ServeError> {
        let mut out = std::io::stdout();
        if out.is_terminal() && !self.reveal {
            return Err(SecretsError::Shown.into());
        }
        let reference = self.reference()?;
        let found = match &reference {
            SecretRef::Vault(_) => self.read_vault(&reference).await,
            SecretRef::AwsSm(_) => self.read_aws(&reference).await,
            _ => read(self.provider(&reference)?, &reference).await,
        };
        let secret = found?.ok_or_else(|| SecretsError::Absent(reference.to_string()))?;
        let on = match &reference {
            SecretRef::Local(local) => local.name().to_string(),
            // Whoever runs the command has the environment already.
            SecretRef::Env(_) => String::new(),
            other => other.to_string(),
        };
        if !on.is_empty() {
            let version = secret.version.as_ref();
            let on = match version {
                Some(version) => format!("{on} version {version}"),
                None => on,
            };
            self.guarded
                .place
                .note("secrets get", Resource::new("secret", on))?;
        }
        let written = out.write_all(secret.value.expose_secret());
        let written = written.and_then(|()| out.flush());
        Ok(written.map_err(SecretsError::System)?)
    }

    /// What is asked for, if it may be.
    fn reference(&self) -> Result<SecretRef, SecretsError> {
        let reference = if self.secret.contains("://") {
            self.secret.parse()?
        } else {
            SecretRef::Local(LocalRef::new(self.secret.parse()?, None))
        };
        if let SecretRef::Local(local) = &reference {
            self.guarded.allow(local.name())?;
        }
        Ok(reference)
    }

    /// Who serves what is on this machine: of the environment, the one variable that is named.
    fn provider(&self, reference: &SecretRef) -> Result<Arc<dyn SecretProvider>, ServeError> {
        match reference {
            SecretRef::Local(_) => Ok(self.guarded.place.secrets()?),
            SecretRef::File(_) => Ok(Arc::new(FileProvider::new())),
            SecretRef::Env(name) => Ok(Arc::new(EnvProvider::new(prefix(name)))),
            _ => Err(unserved(reference)),
        }
    }

    #[cfg(feature = "vault")]
    async fn read_vault(&self, reference: &SecretRef) -> Result<Option<Secret>, ServeError> {
        let config = self.guarded.place.configuration()?;
        let vault = config.vault.as_ref().ok_or_else(|| unserved(reference))?;
        let opened = super::vault::Opened::at(vault).await?;
        let found = read(opened.secrets(), reference).await;
        opened.close().await;
        found
    }

    #[cfg(feature = "aws")]
    async fn read_aws(&self, reference: &SecretRef) -> Result<Option<Secret>, ServeError> {
        let config = self.guarded.place.configuration()?;
        let section = config.aws.as_ref().ok_or_else(|| unserved(reference))?;
        let provider = AwsProvider::new(section.config()?);
        read(Arc::new(provider), reference).await
    }

    #[cfg(not(feature = "vault"))]
    async fn read_vault(&self, reference: &SecretRef) -> Result<Option<Secret>, ServeError> {
        self.not_built(reference)
    }

    #[cfg(not(feature = "aws"))]
    async fn read_aws(&self, reference: &SecretRef) -> Result<Option<Secret>, ServeError> {
        self.not_built(reference)
    }

    #[cfg(not(all(feature = "aws", feature = "vault")))]
    fn not_built(&self, reference: &SecretRef) -> Result<Option<Secret>, ServeError> {
        // A section that cannot be used is refused here.
        self.guarded.place.configuration()?;
        Err(unserved(reference))
    }
}

async fn read(
    provider: Arc<dyn SecretProvider>,
    reference: &SecretRef,
) -> Result<Option<Secret>, ServeError> {
    let resolver = SecretResolver::new().with(provider);
    let resolver = resolver.map_err(|twice| ServeError::System(std::io::Error::other(twice)))?;
    let found = resolver.read(reference).await;
    Ok(found.map_err(SecretsError::Source)?)
}

fn unserved(reference: &SecretRef) -> ServeError {
    let scheme: Scheme = reference.scheme();
    SecretsError::Source(SecretError::Unserved { scheme }).into()
}

/// The prefix that allows a variable; without an underscore no configuration could.
fn prefix(name: &EnvName) -> Option<EnvPrefix> {
    let (first, _) = name.as_str().split_once('_')?;
    format!("{first}_").parse().ok()
}
