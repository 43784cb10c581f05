//! `cyprob secrets ...`: the secrets in the data directory, beside the servers that run.

mod doctor;
mod error;
mod get;
mod list;
mod prompt;
mod put;
mod rotate;
#[cfg(feature = "vault")]
mod vault;

use std::sync::Arc;

use clap::{Args, Subcommand};
use cyprob::OperatorJournal;
use cyprob::core::adapters::system::{SystemClock, SystemEntropy};
use cyprob::core::domain::Caller;
use cyprob::core::domain::audit::{Action, AuditEvent, MetaValue, Resource};
use cyprob::core::ports::{Clock as _, EntropyExt as _};
use cyprob::secrets::adapters::local::LocalStore;
use cyprob::secrets::domain::SecretName;

use super::admin::Place;
use super::{Exit, runtime};
use crate::server::{self, ServeError};
pub(crate) use error::SecretsError;

/// Read, write and list secrets, and rotate the keys that seal them; servers may run.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Write the bare value of a secret to standard output, unless that is a terminal.
    Get(get::GetArgs),
    /// Store the value on standard input as the next version of a secret; print name and version.
    ///
    /// The value is stored byte for byte, a line ending at its end included; on a
    /// terminal it is asked for twice and not shown, and a line is a value.
    Put(put::PutArgs),
    /// Print the names of all secrets and their versions, no values.
    List(list::ListArgs),
    /// Replace the key that wraps the store's keys, or the one that seals the values.
    ///
    /// It may be ended at any time and run again. After the first rotation a
    /// program that does not know rotation cannot read the store any more.
    Rotate(rotate::RotateArgs),
    /// Look at everything the configuration says about secrets; a line each, with its remedy.
    ///
    /// Ends with status 1 if anything is refused. What it looks at stays as it is.
    Doctor(doctor::DoctorArgs),
}

/// The store, and whether the deployment's own keys may be touched.
#[derive(Debug, Args)]
pub(crate) struct Guarded {
    /// Allow the names of the deployment's own keys, `keys/...`.
    ///
    /// Whoever reads one can sign and unseal as this deployment; whoever replaces
    /// one ends every session and may lose what it sealed. `cyprob admin keys`
    /// rotates those that sign tokens.
    #[arg(long)]
    deployment_keys: bool,
    #[command(flatten)]
    place: Place,
}

impl SecretsCommand {
    /// Runs the command.
    pub(crate) fn run(self) -> Exit {
        server::init_logging();
        match self {
            Self::Get(args) => runtime::run(args.run()),
            Self::Put(args) => runtime::run(args.run()),
            Self::List(args) => runtime::run(args.run()),
            Self::Rotate(args) => runtime::run(args.run()),
            Self::Doctor(args) => runtime::run(args.run()),
        }
    }
}

impl Place {
    /// The secrets alone; the database stays with the server that runs.
    fn secrets(&self) -> Result<Arc<LocalStore>, ServeError> {
        let (data, master_key) = self.keys()?;
        Ok(cyprob::local_secrets(data.path(), &master_key)?)
    }

    /// Notes for the audit trail what is about to be done; it must not be done otherwise.
    fn note(&self, command: &str, on: Resource) -> Result<(), ServeError> {
        let (data, _) = self.keys()?;
        let at = SystemClock.now();
        let id = SystemEntropy.id(at);
        let event = AuditEvent::new(id, at, &Caller::operator(), Action::AdminCommand, on)
            .with("command", MetaValue::public(command));
        let noted = OperatorJournal::of(data.path()).note(&event);
        noted.map_err(|source| SecretsError::NotNoted(source).into())
    }
}

impl Guarded {
    /// Refuses a name of the deployment's own keys that was not allowed.
    fn allow(&self, name: &SecretName) -> Result<(), SecretsError> {
        if cyprob::is_deployment_key(name) && !self.deployment_keys {
            return Err(SecretsError::DeploymentKey(name.clone()));
        }
        Ok(())
    }
}
