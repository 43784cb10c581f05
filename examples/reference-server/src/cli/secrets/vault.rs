//! The Vault that the configuration names, for one command.

use std::sync::Arc;

use cyprob::core::adapters::system::{SystemClock, SystemEntropy};
use cyprob::secrets::adapters::vault::{Vault, VaultKv};
use cyprob::secrets::ports::SecretProvider;

use crate::config::VaultConfig;
use crate::server::ServeError;

/// A connection that ends with the command.
pub(super) struct Opened {
    vault: Vault,
    kv: VaultKv,
    token_is_ours: bool,
}

impl Opened {
    /// Signs in.
    pub(super) async fn at(config: &VaultConfig) -> Result<Self, ServeError> {
        let builder = config.builder()?;
        let vault = builder
            .connect(Arc::new(SystemClock), Arc::new(SystemEntropy))
            .await?;
        Ok(Self {
            kv: VaultKv::new(vault.clone(), config.mounts()),
            vault,
            token_is_ours: !config.is_kept_by_another(),
        })
    }

    /// What it serves.
    pub(super) fn secrets(&self) -> Arc<dyn SecretProvider> {
        Arc::new(self.kv.clone())
    }

    /// Ends the token, unless another program keeps it.
    pub(super) async fn close(self) {
        if self.token_is_ours && self.vault.log_out().await.is_err() {
            tracing::warn!("the token was not revoked; it ends by itself");
        }
    }
}
