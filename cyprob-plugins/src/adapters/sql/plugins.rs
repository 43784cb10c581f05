//! Installed plugins.

use async_trait::async_trait;
use cyprob_core::adapters::sql::{Arg, Backend, Cells, Columns};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgCtx, Page, PageRequest};
use cyprob_core::ports::store::StoreError;

use super::{SqlRuns, recorded, sql};
use crate::domain::{Digest, InstalledPlugin, PluginFile, PluginId};
use crate::ports::{InstallOutcome, PluginStore};

pub(super) fn digest(
    columns: &Columns<'_, impl Cells>,
    name: &'static str,
) -> Result<Digest, StoreError> {
    columns.read(name, |bytes: &[u8]| {
        bytes.try_into().ok().map(Digest::from_bytes)
    })
}

fn plugin<B: Backend>(row: &B::Row) -> Result<InstalledPlugin, StoreError> {
    let columns = Columns::of(row, "plugins");
    Ok(InstalledPlugin {
        id: columns.read("id", PluginId::parse)?,
        name: columns.get("name")?,
        version: columns.get("version")?,
        digest: digest(&columns, "digest")?,
        enabled: columns.get("enabled")?,
        installed_at: columns.time("installed_at")?,
    })
}

fn with_file<B: Backend>(row: &B::Row) -> Result<(InstalledPlugin, PluginFile), StoreError> {
    let columns = Columns::of(row, "plugins");
    let found = plugin::<B>(row)?;
    let file = PluginFile {
        name: columns.get("file_name")?,
        digest: found.digest,
        bytes: columns.get("bytes")?,
    };
    Ok((found, file))
}

#[async_trait]
impl<B: Backend> PluginStore for SqlRuns<B> {
    async fn install(
        &self,
        org: &OrgCtx,
        new: &InstalledPlugin,
        file: &PluginFile,
        event: &AuditEvent,
    ) -> Result<InstallOutcome, StoreError> {
        let mut tx = self.store.org_tx(org).await?;
        let own = org.org();
        tx.lock(&sql::LOCK_TENANT, &[own.into()]).await?;
        let known = tx
            .fetch_optional(
                &sql::VERSION,
                &[
                    own.into(),
                    new.id.as_str().into(),
                    new.version.as_str().into(),
                ],
            )
            .await?;
        if let Some(row) = known {
            if digest(&Columns::of(&row, "plugin_versions"), "digest")? != new.digest {
                return Ok(InstallOutcome::VersionExists);
            }
            let current = tx
                .fetch_optional(&sql::PLUGIN, &[own.into(), new.id.as_str().into()])
                .await?;
            let current = current.as_ref().map(plugin::<B>).transpose()?;
            if let Some(current) = current.filter(|current| current.digest == new.digest) {
                return Ok(InstallOutcome::Unchanged(current));
            }
        }
        let bytes = Arg::bytes(new.digest.as_bytes());
        let (id, version) = (new.id.as_str(), new.version.as_str());
        let args = [own.into(), bytes.clone(), Arg::bytes(&file.bytes)];
        tx.execute(&sql::ADD_FILE, &args).await?;
        let args = [own.into(), id.into(), version.into(), bytes.clone()];
        tx.execute(&sql::ADD_VERSION, &args).await?;
        let args = [
            own.into(),
            id.into(),
            new.name.as_str().into(),
            version.into(),
            bytes,
            file.name.as_str().into(),
            new.installed_at.into(),
        ];
        tx.execute(&sql::PUT_PLUGIN, &args).await?;
        recorded(tx.record(event).await)?;
        tx.commit().await?;
        Ok(InstallOutcome::Installed(InstalledPlugin {
            enabled: false,
            ..new.clone()
        }))
    }

    async fn plugins(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<InstalledPlugin>, StoreError> {
        let mut read = self.store.org_read(org).await?;
        let found = read
            .fetch_all(
                &sql::PLUGINS,
                &[org.org().into(), Arg::after_text(page), Arg::limit(page)],
            )
            .await?;
        let items = found
            .iter()
            .map(plugin::<B>)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(items, page, |plugin| {
            plugin.id.as_str().as_bytes().to_vec()
        }))
    }

    async fn plugin(
        &self,
        org: &OrgCtx,
        id: &PluginId,
    ) -> Result<Option<(InstalledPlugin, PluginFile)>, StoreError> {
        let mut read = self.store.org_read(org).await?;
        let row = read
            .fetch_optional(&sql::PLUGIN, &[org.org().into(), id.as_str().into()])
            .await?;
        row.as_ref().map(with_file::<B>).transpose()
    }

    async fn enabled(
        &self,
        org: &OrgCtx,
        limit: usize,
    ) -> Result<Vec<(InstalledPlugin, PluginFile)>, StoreError> {
        let mut read = self.store.org_read(org).await?;
        let found = read
            .fetch_all(&sql::ENABLED, &[org.org().into(), Arg::count(limit)])
            .await?;
        found.iter().map(with_file::<B>).collect()
    }

    async fn set_enabled(
        &self,
        org: &OrgCtx,
        id: &PluginId,
        enabled: bool,
        event: &AuditEvent,
    ) -> Result<Option<InstalledPlugin>, StoreError> {
        let mut tx = self.store.org_tx(org).await?;
        let own = org.org();
        let changed = tx
            .execute(
                &sql::SET_ENABLED,
                &[own.into(), id.as_str().into(), enabled.into()],
            )
            .await?;
        let row = tx
            .fetch_optional(&sql::PLUGIN, &[own.into(), id.as_str().into()])
            .await?;
        if changed == 1 {
            recorded(tx.record(event).await)?;
            tx.commit().await?;
        }
        row.as_ref().map(plugin::<B>).transpose()
    }

    async fn remove(
        &self,
        org: &OrgCtx,
        id: &PluginId,
        event: &AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut tx = self.store.org_tx(org).await?;
        let own = org.org();
        let removed = tx
            .execute(&sql::REMOVE, &[own.into(), id.as_str().into()])
            .await?;
        if removed == 0 {
            return Ok(false);
        }
        tx.execute(&sql::REMOVE_VERSIONS, &[own.into(), id.as_str().into()])
            .await?;
        recorded(tx.record(event).await)?;
        tx.commit().await?;
        Ok(true)
    }
}
