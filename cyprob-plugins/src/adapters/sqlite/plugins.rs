//! Installed plugins.

use async_trait::async_trait;
use cyprob_core::adapters::sqlite::Columns;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgCtx, Page, PageRequest};
use cyprob_core::ports::store::StoreError;
use sqlx::sqlite::SqliteRow;

use super::{Done, SqliteRuns, rows, sql};
use crate::domain::{Digest, InstalledPlugin, PluginFile, PluginId};
use crate::ports::{InstallOutcome, PluginStore};

pub(super) fn digest(columns: Columns<'_>, name: &'static str) -> Result<Digest, StoreError> {
    columns.read(name, |bytes: &[u8]| {
        bytes.try_into().ok().map(Digest::from_bytes)
    })
}

fn plugin(row: &SqliteRow) -> Result<InstalledPlugin, StoreError> {
    let columns = Columns::of(row, "plugins");
    Ok(InstalledPlugin {
        id: columns.read("id", PluginId::parse)?,
        name: columns.get("name")?,
        version: columns.get("version")?,
        digest: digest(columns, "digest")?,
        enabled: columns.get("enabled")?,
        installed_at: columns.time("installed_at")?,
    })
}

fn with_file(row: &SqliteRow) -> Result<(InstalledPlugin, PluginFile), StoreError> {
    let columns = Columns::of(row, "plugins");
    let found = plugin(row)?;
    let file = PluginFile {
        name: columns.get("file_name")?,
        digest: found.digest,
        bytes: columns.get("bytes")?,
    };
    Ok((found, file))
}

#[async_trait]
impl PluginStore for SqliteRuns {
    async fn install(
        &self,
        org: &OrgCtx,
        new: &InstalledPlugin,
        file: &PluginFile,
        event: &AuditEvent,
    ) -> Result<InstallOutcome, StoreError> {
        let mut tx = self.store.org_tx(org).await?;
        let own = org.org();
        let key = own.as_bytes().as_slice();
        let known = sqlx::query(sql::VERSION)
            .bind(key)
            .bind(new.id.as_str())
            .bind(&new.version)
            .fetch_optional(tx.connection())
            .await
            .done()?;
        if let Some(row) = known {
            if digest(Columns::of(&row, "plugin_versions"), "digest")? != new.digest {
                return Ok(InstallOutcome::VersionExists);
            }
            let current = sqlx::query(sql::PLUGIN)
                .bind(key)
                .bind(new.id.as_str())
                .fetch_optional(tx.connection())
                .await
                .done()?;
            let current = current.as_ref().map(plugin).transpose()?;
            if let Some(current) = current.filter(|current| current.digest == new.digest) {
                return Ok(InstallOutcome::Unchanged(current));
            }
        }
        let bytes = new.digest.as_bytes().as_slice();
        for statement in [
            sqlx::query(sql::ADD_FILE)
                .bind(key)
                .bind(bytes)
                .bind(&file.bytes),
            sqlx::query(sql::ADD_VERSION)
                .bind(key)
                .bind(new.id.as_str())
                .bind(&new.version)
                .bind(bytes),
            sqlx::query(sql::PUT_PLUGIN)
                .bind(key)
                .bind(new.id.as_str())
                .bind(&new.name)
                .bind(&new.version)
                .bind(bytes)
                .bind(&file.name)
                .bind(new.installed_at.as_micros()),
        ] {
            statement.execute(tx.connection()).await.done()?;
        }
        tx.record(event).await.done()?;
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
        let after = page.after().unwrap_or_default();
        let found = sqlx::query(sql::PLUGINS)
            .bind(org.org().as_bytes().as_slice())
            .bind(String::from_utf8_lossy(after).into_owned())
            .bind(rows(page.limit()))
            .fetch_all(read.connection())
            .await
            .done()?;
        let items = found.iter().map(plugin).collect::<Result<Vec<_>, _>>()?;
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
        let row = sqlx::query(sql::PLUGIN)
            .bind(org.org().as_bytes().as_slice())
            .bind(id.as_str())
            .fetch_optional(read.connection())
            .await
            .done()?;
        row.as_ref().map(with_file).transpose()
    }

    async fn enabled(
        &self,
        org: &OrgCtx,
        limit: usize,
    ) -> Result<Vec<(InstalledPlugin, PluginFile)>, StoreError> {
        let mut read = self.store.org_read(org).await?;
        let found = sqlx::query(sql::ENABLED)
            .bind(org.org().as_bytes().as_slice())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(read.connection())
            .await
            .done()?;
        found.iter().map(with_file).collect()
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
        let key = own.as_bytes().as_slice();
        let changed = sqlx::query(sql::SET_ENABLED)
            .bind(key)
            .bind(id.as_str())
            .bind(enabled)
            .execute(tx.connection())
            .await
            .done()?;
        let row = sqlx::query(sql::PLUGIN)
            .bind(key)
            .bind(id.as_str())
            .fetch_optional(tx.connection())
            .await
            .done()?;
        if changed.rows_affected() == 1 {
            tx.record(event).await.done()?;
            tx.commit().await?;
        }
        row.as_ref().map(plugin).transpose()
    }

    async fn remove(
        &self,
        org: &OrgCtx,
        id: &PluginId,
        event: &AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut tx = self.store.org_tx(org).await?;
        let own = org.org();
        let removed = sqlx::query(sql::REMOVE)
            .bind(own.as_bytes().as_slice())
            .bind(id.as_str())
            .execute(tx.connection())
            .await
            .done()?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(sql::REMOVE_VERSIONS)
            .bind(own.as_bytes().as_slice())
            .bind(id.as_str())
            .execute(tx.connection())
            .await
            .done()?;
        tx.record(event).await.done()?;
        tx.commit().await?;
        Ok(true)
    }
}
