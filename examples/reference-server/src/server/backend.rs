//! Where a deployment's data is: in its directory, or in a database that nodes share.

use std::path::Path;

use cyprob::core::adapters::postgres::{Migrated, PostgresOptions};
use cyprob::{Clustered, ControlPlaneBuilder, Embedded, Ready, Roles};

use super::{DataDir, ServeError};
use crate::config::{Config, PostgresConfig};

/// The opened parts of a deployment.
#[derive(Debug)]
pub(crate) enum Backend {
    /// Everything in the directory, for one process.
    Embedded(Embedded),
    /// One node of many.
    Clustered(Clustered),
}

impl Backend {
    /// Opens what the configuration says.
    ///
    /// # Errors
    ///
    /// [`ServeError`] with what is wrong and the remedy.
    pub(super) async fn open(config: &Config, data: &DataDir) -> Result<Self, ServeError> {
        let master_key = match &config.master_key_file {
            Some(file) => file.clone(),
            None => data.join("master-key"),
        };
        let Some(postgres) = &config.postgres else {
            let embedded = Embedded::open_with(data.path(), &master_key).await?;
            return Ok(Self::Embedded(embedded));
        };
        let runtime = postgres.runtime()?;
        if postgres.migrate_on_start {
            migrate(postgres, &runtime).await?;
        }
        let clustered = Clustered::open_with(&runtime, data.path(), &master_key).await?;
        Ok(Self::Clustered(clustered))
    }

    /// A builder over these parts.
    pub(super) fn builder(&self) -> ControlPlaneBuilder<Ready> {
        match self {
            Self::Embedded(embedded) => embedded.builder(),
            Self::Clustered(clustered) => clustered.builder(),
        }
    }

    /// Where the audit logs are published.
    pub(super) fn audit_directory(&self) -> &Path {
        match self {
            Self::Embedded(embedded) => embedded.audit_directory(),
            Self::Clustered(clustered) => clustered.audit_directory(),
        }
    }

    /// Waits for what is under way and closes the database.
    pub(crate) async fn close(self) {
        match self {
            Self::Embedded(embedded) => embedded.close().await,
            Self::Clustered(clustered) => clustered.close().await,
        }
    }
}

/// Brings the tables up to date as their owner, for this runtime role.
///
/// # Errors
///
/// [`ServeError`] with what is wrong and the remedy.
pub(crate) async fn migrate(
    postgres: &PostgresConfig,
    runtime: &PostgresOptions,
) -> Result<Vec<Migrated>, ServeError> {
    let roles = Roles {
        runtime: runtime.role(),
        auditor: postgres.auditor(),
    };
    Ok(Clustered::migrate(&postgres.owner()?, roles).await?)
}
