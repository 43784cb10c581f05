//! The plugins of organizations.

use std::fmt::Debug;

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgCtx, Page, PageRequest};
use cyprob_core::ports::store::StoreError;

use crate::domain::{InstalledPlugin, PluginFile, PluginId};

/// How an installation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallOutcome {
    /// It is the plugin's version now, disabled.
    Installed(InstalledPlugin),
    /// The same bytes were its version already; nothing changed.
    Unchanged(InstalledPlugin),
    /// This version has other bytes; nothing changed.
    VersionExists,
}

/// The plugins that each organization has installed. Events are recorded with the change, and only with it.
#[async_trait]
pub trait PluginStore: Debug + Send + Sync + 'static {
    /// Installs a plugin, disabled; a further version of the same id takes its place.
    async fn install(
        &self,
        org: &OrgCtx,
        plugin: &InstalledPlugin,
        file: &PluginFile,
        event: &AuditEvent,
    ) -> Result<InstallOutcome, StoreError>;

    /// The installed plugins in the order of their ids; the cursor is an id.
    async fn plugins(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<InstalledPlugin>, StoreError>;

    /// One plugin with its file.
    async fn plugin(
        &self,
        org: &OrgCtx,
        id: &PluginId,
    ) -> Result<Option<(InstalledPlugin, PluginFile)>, StoreError>;

    /// The first enabled plugins with their files, in the order of their ids, up to the limit.
    async fn enabled(
        &self,
        org: &OrgCtx,
        limit: usize,
    ) -> Result<Vec<(InstalledPlugin, PluginFile)>, StoreError>;

    /// Enables or disables; the plugin afterwards, or none if there is no such plugin.
    ///
    /// Setting what is set changes nothing and records nothing.
    async fn set_enabled(
        &self,
        org: &OrgCtx,
        id: &PluginId,
        enabled: bool,
        event: &AuditEvent,
    ) -> Result<Option<InstalledPlugin>, StoreError>;

    /// Removes a plugin with all its versions; `false` if there is none. Runs that have it keep it.
    async fn remove(
        &self,
        org: &OrgCtx,
        id: &PluginId,
        event: &AuditEvent,
    ) -> Result<bool, StoreError>;
}
