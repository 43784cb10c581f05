//! Installed plugins.

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgCtx, Page, PageRequest};
use cyprob_core::ports::store::StoreError;

use super::MemoryRuns;
use crate::domain::{InstalledPlugin, PluginFile, PluginId};
use crate::ports::{InstallOutcome, PluginStore};

#[async_trait]
impl PluginStore for MemoryRuns {
    async fn install(
        &self,
        org: &OrgCtx,
        plugin: &InstalledPlugin,
        file: &PluginFile,
        event: &AuditEvent,
    ) -> Result<InstallOutcome, StoreError> {
        let installed = InstalledPlugin {
            enabled: false,
            ..plugin.clone()
        };
        let mut state = self.state().await;
        let version = (org.org(), plugin.id.clone(), plugin.version.clone());
        let key = (org.org(), plugin.id.clone());
        match state.versions.get(&version) {
            Some(known) if *known != plugin.digest => return Ok(InstallOutcome::VersionExists),
            Some(_) => {
                let current = state.plugins.get(&key).map(|(current, _)| current);
                if let Some(current) = current.filter(|c| c.digest == plugin.digest) {
                    return Ok(InstallOutcome::Unchanged(current.clone()));
                }
            }
            None => {}
        }
        self.record_of(org, event).await?;
        state.versions.insert(version, plugin.digest);
        state.plugins.insert(key, (installed.clone(), file.clone()));
        Ok(InstallOutcome::Installed(installed))
    }

    async fn plugins(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<InstalledPlugin>, StoreError> {
        let state = self.state().await;
        let after = page.after().unwrap_or_default();
        let own = state
            .plugins
            .iter()
            .filter(|((of, id), _)| *of == org.org() && id.as_str().as_bytes() > after);
        let items = own
            .map(|(_, (plugin, _))| plugin.clone())
            .take(page.limit() + 1)
            .collect();
        Ok(Page::cut(items, page, |plugin: &InstalledPlugin| {
            plugin.id.as_str().into()
        }))
    }

    async fn plugin(
        &self,
        org: &OrgCtx,
        id: &PluginId,
    ) -> Result<Option<(InstalledPlugin, PluginFile)>, StoreError> {
        Ok(self
            .state()
            .await
            .plugins
            .get(&(org.org(), id.clone()))
            .cloned())
    }

    async fn enabled(
        &self,
        org: &OrgCtx,
        limit: usize,
    ) -> Result<Vec<(InstalledPlugin, PluginFile)>, StoreError> {
        let state = self.state().await;
        let own = state
            .plugins
            .iter()
            .filter(|((of, _), (p, _))| *of == org.org() && p.enabled);
        Ok(own.map(|(_, found)| found.clone()).take(limit).collect())
    }

    async fn set_enabled(
        &self,
        org: &OrgCtx,
        id: &PluginId,
        enabled: bool,
        event: &AuditEvent,
    ) -> Result<Option<InstalledPlugin>, StoreError> {
        let mut state = self.state().await;
        let Some((plugin, _)) = state.plugins.get_mut(&(org.org(), id.clone())) else {
            return Ok(None);
        };
        if plugin.enabled != enabled {
            self.record_of(org, event).await?;
            plugin.enabled = enabled;
        }
        Ok(Some(plugin.clone()))
    }

    async fn remove(
        &self,
        org: &OrgCtx,
        id: &PluginId,
        event: &AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut state = self.state().await;
        if !state.plugins.contains_key(&(org.org(), id.clone())) {
            return Ok(false);
        }
        self.record_of(org, event).await?;
        state.plugins.remove(&(org.org(), id.clone()));
        state
            .versions
            .retain(|(of, plugin, _), _| *of != org.org() || plugin != id);
        Ok(true)
    }
}
