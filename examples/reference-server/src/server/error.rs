//! Why the server does not start, or did not end well.

use cyprob::authz::domain::policy;
use cyprob::authz::http::SealError;
use cyprob::authz::ports::CustodyError;
use cyprob::authz::service::{AttenuateError, KeyOperationError};
use cyprob::core::adapters::breach_file::BreachFileError;
use cyprob::core::adapters::postgres::{IsolationError, OpenError};
use cyprob::core::domain::{PolicyError, RoleName, SessionPolicyError};
use cyprob::core::ports::store::StoreError;
use cyprob::core::service::AccountError;
#[cfg(feature = "vault")]
use cyprob::secrets::adapters::vault::VaultError;
use cyprob::{BuildError, ClusteredError, DirectoryError, EmbeddedError, StartError};

use super::{DataDirError, ListenerError, MailError};
use crate::cli::{Exit, SecretsError};
use crate::config::{ConfigError, PostgresConfigError};

/// Why the server does not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A lifetime in it.
    #[error("the configuration does not hold: {0}")]
    Sessions(#[from] SessionPolicyError),
    /// A bound in it.
    #[error("the configuration does not hold: {0}")]
    Policy(#[from] PolicyError),
    /// The file of disclosed passwords.
    #[error("{source}: {}", path.display())]
    BreachFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: BreachFileError,
    },
    /// The roles of the deployment.
    #[error("{}", path.display())]
    PolicyFile {
        /// The file.
        path: std::path::PathBuf,
        /// Everything that is wrong with it.
        source: policy::PolicyError,
    },
    /// A file that is named cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A role that is asked about.
    #[error("the deployment has no role {0}")]
    NoRole(RoleName),
    /// Mail in it.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// How the Vault is reached.
    #[cfg(feature = "vault")]
    #[error(transparent)]
    VaultConfig(#[from] crate::config::VaultConfigError),
    /// The Vault does not let us in.
    #[cfg(feature = "vault")]
    #[error("the Vault of [vault] cannot be used: `cyprob secrets doctor` looks at all of it")]
    Vault(#[from] VaultError),
    /// How AWS is reached.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    AwsSection(#[from] crate::config::AwsSectionError),
    /// How the database is reached.
    #[error(transparent)]
    Postgres(#[from] PostgresConfigError),
    /// The database does not answer, or not to this role.
    #[error(
        "the database of [postgres] cannot be used: look at its address, role and password, and whether it runs"
    )]
    Unreachable(#[source] OpenError),
    /// The tables are not there or too old.
    #[error("run `cyprob migrate` first")]
    NotMigrated(#[source] OpenError),
    /// The tables cannot be used in another way.
    #[error(transparent)]
    Tables(OpenError),
    /// The database does not keep organizations apart.
    #[error(transparent)]
    Isolation(#[from] IsolationError),
    /// The keys or the logs in the directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// What is in it.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The composition.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The audit logs, or the record of the start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The routes.
    #[error("the routes do not hold")]
    Routes(#[from] SealError),
    /// The listener.
    #[error(transparent)]
    Listener(#[from] ListenerError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file with the one-time token.
    #[error("cannot write {}", path.display())]
    BootstrapFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is nothing to bootstrap.
    #[error("an administrator exists; a bootstrap token is given out only before the first one")]
    Bootstrapped,
    /// An account was not switched.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The keys that sign tokens were not changed.
    #[error(transparent)]
    Keys(#[from] KeyOperationError),
    /// They cannot be read.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// A command on secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// A token was not narrowed.
    #[error(transparent)]
    Attenuate(#[from] AttenuateError),
    /// A step of the demo.
    #[error("the demo's step \"{0}\" did not hold")]
    Demo(&'static str),
    /// The system.
    #[error("the system refused")]
    System(#[source] std::io::Error),
}

impl ServeError {
    /// The status that a command ends with.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Config(_)
            | Self::Postgres(_)
            | Self::Sessions(_)
            | Self::Policy(_)
            | Self::BreachFile { .. }
            | Self::PolicyFile { .. }
            | Self::Unreadable { .. }
            | Self::NoRole(_)
            | Self::Attenuate(_)
            | Self::DataDir(_)
            | Self::Mail(_)
            | Self::Account(AccountError::NotFound | AccountError::LastAdministrator)
            | Self::Keys(KeyOperationError::Plan(_))
            | Self::Directory(DirectoryError::NoDeployment { .. })
            | Self::Bootstrapped => Exit::BadInput,
            Self::Listener(ListenerError::Plaintext(_)) => Exit::BadInput,
            #[cfg(feature = "aws")]
            Self::AwsSection(_) => Exit::BadInput,
            #[cfg(feature = "vault")]
            Self::VaultConfig(_) => Exit::BadInput,
            #[cfg(feature = "vault")]
            Self::Vault(
                VaultError::Risk(_) | VaultError::Certificates(_) | VaultError::Login(_),
            ) => Exit::BadInput,
            Self::Demo(_) => Exit::Findings,
            Self::Secrets(error) => error.exit(),
            _ => Exit::Unavailable,
        }
    }
}

impl From<OpenError> for ServeError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unavailable { .. } => Self::Unreachable(error),
            OpenError::Older { .. } => Self::NotMigrated(error),
            _ => Self::Tables(error),
        }
    }
}

impl From<ClusteredError> for ServeError {
    fn from(error: ClusteredError) -> Self {
        match error {
            ClusteredError::Database(error) => error.into(),
            ClusteredError::Isolation(IsolationError::Database(error)) => error.into(),
            ClusteredError::Isolation(error) => error.into(),
            ClusteredError::Directory(error) => error.into(),
            _ => Self::System(std::io::Error::other(error)),
        }
    }
}
