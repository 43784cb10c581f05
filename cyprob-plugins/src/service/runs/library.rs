//! The plugins of an organization.

use std::sync::Arc;

use cyprob_core::domain::audit::{Action, AuditEvent, MetaValue, Outcome, Resource};
use cyprob_core::domain::{OrgCtx, Page, PageRequest, Timestamp};
use cyprob_core::ports::store::{Outbox, StoreError};
use cyprob_core::ports::{Clock, Entropy, EntropyExt};

use crate::domain::{Diagnostic, InstalledPlugin, PluginFile, PluginId};
use crate::ports::{FileReader, InstallOutcome, PluginStore};

/// Why a plugin was not installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The file does not load.
    #[error("the plugin file does not load")]
    Invalid(Vec<Diagnostic>),
    /// The version is installed with another content.
    #[error("this version is installed with another content")]
    VersionExists,
    /// The store failed.
    #[error("the plugin could not be stored")]
    Store(#[from] StoreError),
}

/// An installed plugin and what there is to say about its file.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The plugin.
    pub plugin: InstalledPlugin,
    /// Repairs, warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
}

/// Installs, lists, enables and removes plugins.
#[derive(Clone, Debug)]
pub struct PluginLibrary {
    store: Arc<dyn PluginStore>,
    reader: Arc<dyn FileReader>,
    outbox: Arc<dyn Outbox>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl PluginLibrary {
    /// The library over its ports; refused files are told to the outbox.
    #[must_use]
    pub fn new(
        store: Arc<dyn PluginStore>,
        reader: Arc<dyn FileReader>,
        outbox: Arc<dyn Outbox>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            store,
            reader,
            outbox,
            clock,
            entropy,
        }
    }

    fn event(&self, org: &OrgCtx, at: Timestamp, action: Action, id: &PluginId) -> AuditEvent {
        let on = Resource::new("plugin", id);
        AuditEvent::new(self.entropy.id(at), at, org.caller(), action, on).in_org(org.org())
    }

    /// Installs a file, disabled; the id is the file's, else it derives from the name.
    ///
    /// The same file again changes nothing; a file with the same id and another
    /// version takes the place of the one before, disabled.
    ///
    /// # Errors
    ///
    /// [`InstallError`]; a file that does not load is told in the trail.
    pub async fn install(
        &self,
        org: &OrgCtx,
        file_name: &str,
        bytes: Vec<u8>,
    ) -> Result<Installed, InstallError> {
        let at = self.clock.now();
        let file = PluginFile::new(file_name, bytes);
        let (plugin, diagnostics) = match self.reader.plugin(&file) {
            Ok(read) => read,
            Err(refused) => {
                let mut event = self.event(org, at, Action::PluginRefused, &refused.id);
                event.outcome = Outcome::Failure;
                event.reason = Some("invalid_plugin".to_owned());
                let event = event.with("digest", MetaValue::public(file.digest));
                self.outbox.record(&[event]).await?;
                return Err(InstallError::Invalid(refused.diagnostics));
            }
        };
        let new = InstalledPlugin {
            id: plugin.id,
            name: plugin.name,
            version: plugin.version,
            digest: file.digest,
            enabled: false,
            installed_at: at,
        };
        let event = self
            .event(org, at, Action::PluginInstalled, &new.id)
            .with("version", MetaValue::public(&new.version))
            .with("digest", MetaValue::public(new.digest));
        match self.store.install(org, &new, &file, &event).await? {
            InstallOutcome::Installed(plugin) | InstallOutcome::Unchanged(plugin) => {
                Ok(Installed {
                    plugin,
                    diagnostics,
                })
            }
            InstallOutcome::VersionExists => Err(InstallError::VersionExists),
        }
    }

    /// The installed plugins, by id.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn list(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<InstalledPlugin>, StoreError> {
        self.store.plugins(org, page).await
    }

    /// One plugin with its file.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn get(
        &self,
        org: &OrgCtx,
        id: &PluginId,
    ) -> Result<Option<(InstalledPlugin, PluginFile)>, StoreError> {
        self.store.plugin(org, id).await
    }

    /// Enables or disables a plugin; none if there is no such plugin.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn set_enabled(
        &self,
        org: &OrgCtx,
        id: &PluginId,
        enabled: bool,
    ) -> Result<Option<InstalledPlugin>, StoreError> {
        let action = if enabled {
            Action::PluginEnabled
        } else {
            Action::PluginDisabled
        };
        let event = self.event(org, self.clock.now(), action, id);
        self.store.set_enabled(org, id, enabled, &event).await
    }

    /// Removes a plugin; `false` if there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn remove(&self, org: &OrgCtx, id: &PluginId) -> Result<bool, StoreError> {
        let event = self.event(org, self.clock.now(), Action::PluginRemoved, id);
        self.store.remove(org, id, &event).await
    }
}
