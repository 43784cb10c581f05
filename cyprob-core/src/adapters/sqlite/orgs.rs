//! Organizations.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use super::row::Columns;
use super::store::SqliteStore;
use super::tx::Write;
use super::{invitations, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    DeploymentCtx, Invitation, OrgCtx, OrgId, OrgPolicy, OrgSlug, Organization, Page, PageRequest,
};
use crate::ports::store::{CreateOrgOutcome, OrgStore, OrgUpdate, StoreError};

fn org(row: &SqliteRow) -> Result<Organization, StoreError> {
    let row = Columns::of(row, "organizations");
    let max_session_seconds = row.read_optional("max_session_seconds", |seconds: i64| {
        u32::try_from(seconds).ok()
    })?;
    Ok(Organization {
        id: row.id("id")?,
        slug: row.parse("slug")?,
        name: row.parse("name")?,
        policy: OrgPolicy {
            max_session_seconds,
        },
        created_at: row.time("created_at")?,
    })
}

/// Stores an organization; `false` if its slug is taken.
pub(super) async fn insert(write: &mut Write, org: &Organization) -> Result<bool, StoreError> {
    let inserted = sqlx::query(sql::INSERT_ORG)
        .bind(org.id.as_bytes().as_slice())
        .bind(org.slug.as_str())
        .bind(org.name.as_str())
        .bind(org.policy.max_session_seconds)
        .bind(org.created_at.as_micros())
        .execute(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    Ok(inserted.rows_affected() == 1)
}

#[async_trait]
impl OrgStore for SqliteStore {
    async fn org(&self, id: OrgId) -> Result<Option<Organization>, StoreError> {
        let row = sqlx::query(sql::ORG_BY_ID)
            .bind(id.as_bytes().as_slice())
            .fetch_optional(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        row.as_ref().map(org).transpose()
    }

    async fn org_by_slug(&self, slug: &OrgSlug) -> Result<Option<Organization>, StoreError> {
        let row = sqlx::query(sql::ORG_BY_SLUG)
            .bind(slug.as_str())
            .fetch_optional(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        row.as_ref().map(org).transpose()
    }

    async fn orgs(
        &self,
        _by: &DeploymentCtx,
        page: &PageRequest,
    ) -> Result<Page<Organization>, StoreError> {
        let rows = sqlx::query(sql::ORGS)
            .bind(page.after().unwrap_or_default())
            .bind(sql_limit(page))
            .fetch_all(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        let orgs = rows.iter().map(org).collect::<Result<_, _>>()?;
        Ok(Page::cut(orgs, page, |org| org.id.as_bytes().to_vec()))
    }

    async fn create_org(
        &self,
        _by: &DeploymentCtx,
        org: &Organization,
        owner: &Invitation,
        events: &[AuditEvent],
    ) -> Result<CreateOrgOutcome, StoreError> {
        let mut write = self.write().await?;
        if !insert(&mut write, org).await? {
            return Ok(CreateOrgOutcome::SlugTaken);
        }
        invitations::insert(&mut write, org.id, owner).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(CreateOrgOutcome::Created)
    }

    async fn update_org(
        &self,
        ctx: &OrgCtx,
        update: &OrgUpdate,
        events: &[AuditEvent],
    ) -> Result<Option<Organization>, StoreError> {
        let mut write = self.write().await?;
        let id = ctx.org();
        if let Some(name) = &update.name {
            sqlx::query(sql::RENAME_ORG)
                .bind(id.as_bytes().as_slice())
                .bind(name.as_str())
                .execute(write.connection())
                .await
                .map_err(StoreError::unavailable)?;
        }
        if let Some(policy) = &update.policy {
            sqlx::query(sql::SET_ORG_POLICY)
                .bind(id.as_bytes().as_slice())
                .bind(policy.max_session_seconds)
                .execute(write.connection())
                .await
                .map_err(StoreError::unavailable)?;
        }
        let row = sqlx::query(sql::ORG_BY_ID)
            .bind(id.as_bytes().as_slice())
            .fetch_optional(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        let Some(row) = row else { return Ok(None) };
        let updated = org(&row)?;
        write.record(events).await?;
        write.commit().await?;
        Ok(Some(updated))
    }
}

/// One more than the page holds, which tells whether there is a next one.
pub(super) fn sql_limit(page: &PageRequest) -> i64 {
    i64::try_from(page.limit())
        .unwrap_or(i64::MAX)
        .saturating_add(1)
}
