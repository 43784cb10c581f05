//! The Vault.

use cyprob::secrets::adapters::vault::SecretIdUse;

use super::report::Report;
use crate::config::VaultConfig;

/// Looks at the section and at all that it names.
pub(super) async fn look(config: &VaultConfig, spend_secret_id: bool, report: &mut Report) {
    let builder = match config.builder() {
        Ok(builder) => builder,
        Err(error) => return report.refuse(error),
    };
    let secret_id = match spend_secret_id {
        true => SecretIdUse::Spend,
        false => SecretIdUse::Spare,
    };
    report.found(builder.check_up(&config.mounts(), secret_id).await);
}
