//! `cyprob secrets doctor`: everything the configuration says about secrets, looked at.

#[cfg(feature = "aws")]
mod aws;
mod files;
mod local;
mod report;
#[cfg(feature = "vault")]
mod vault;

use clap::Args;

use super::{Place, SecretsError};
use crate::server::ServeError;
use report::Report;

/// Which configuration, and what may be used up.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Sign in to the Vault with the secret id in a file, which uses up one use of it.
    ///
    /// It may be the only one. A wrapped secret id is never taken out.
    #[cfg(feature = "vault")]
    #[arg(long)]
    spend_secret_id: bool,
    #[command(flatten)]
    place: Place,
}

impl DoctorArgs {
    /// Runs the command.
    pub(crate) async fn run(self) -> Result<(), ServeError> {
        let config = self.place.configuration()?;
        let mut report = Report::default();
        local::look(&self.place, &config, &mut report).await;
        files::look(self.place.config_file(), &config, &mut report);
        #[cfg(feature = "vault")]
        if let Some(vault) = &config.vault {
            vault::look(vault, self.spend_secret_id, &mut report).await;
        }
        #[cfg(feature = "aws")]
        if let Some(section) = &config.aws {
            aws::look(section, &mut report).await;
        }
        report.print().map_err(SecretsError::System)?;
        match report.refused() {
            0 => Ok(()),
            refused => Err(SecretsError::Refused(refused).into()),
        }
    }
}
