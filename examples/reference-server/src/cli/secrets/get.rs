//! `cyprob secrets get`: one value, and nothing else, on standard output.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use clap::Args;
use cyprob::core::domain::audit::Resource;
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
    /// References are `local://NAME?version=N`, `file:///PATH` and
    /// `env://VARIABLE`, as a configuration has them.
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
        let provider = self.provider(&reference)?;
        let read = SecretResolver::new().with(provider);
        let resolver = read.map_err(|twice| ServeError::System(std::io::Error::other(twice)))?;
        let found = resolver.read(&reference).await;
        let found: Option<Secret> = found.map_err(SecretsError::Source)?;
        let secret = found.ok_or_else(|| SecretsError::Absent(reference.to_string()))?;
        if let SecretRef::Local(local) = &reference {
            let version = secret
                .version
                .as_ref()
                .map_or(String::new(), ToString::to_string);
            let on = Resource::new("secret", format!("{} version {version}", local.name()));
            self.guarded.place.note("secrets get", on)?;
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

    /// Who serves it: of the environment, the one variable that is named.
    fn provider(&self, reference: &SecretRef) -> Result<Arc<dyn SecretProvider>, ServeError> {
        match reference {
            SecretRef::Local(_) => Ok(self.guarded.place.secrets()?),
            SecretRef::File(_) => Ok(Arc::new(FileProvider::new())),
            SecretRef::Env(name) => Ok(Arc::new(EnvProvider::new(prefix(name)))),
            _ => {
                let scheme: Scheme = reference.scheme();
                Err(SecretsError::Source(SecretError::Unserved { scheme }).into())
            }
        }
    }
}

/// The prefix that allows a variable; without an underscore no configuration could.
fn prefix(name: &EnvName) -> Option<EnvPrefix> {
    let (first, _) = name.as_str().split_once('_')?;
    format!("{first}_").parse().ok()
}
