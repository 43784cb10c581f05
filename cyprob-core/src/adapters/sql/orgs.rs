//! Organizations.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, invitations, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    DeploymentCtx, Invitation, OrgCtx, OrgId, OrgPolicy, OrgSlug, Organization, Page, PageRequest,
};
use crate::ports::store::{CreateOrgOutcome, OrgStore, OrgUpdate, StoreError};

fn org<B: Backend>(row: &B::Row) -> Result<Organization, StoreError> {
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
pub(super) async fn insert<B: Backend>(
    write: &mut Write<B>,
    org: &Organization,
) -> Result<bool, StoreError> {
    let inserted = write
        .execute(
            &sql::INSERT_ORG,
            &[
                org.id.into(),
                org.slug.as_str().into(),
                org.name.as_str().into(),
                org.policy.max_session_seconds.into(),
                org.created_at.into(),
            ],
        )
        .await?;
    Ok(inserted == 1)
}

#[async_trait]
impl<B: Backend> OrgStore for SqlStore<B> {
    async fn org(&self, id: OrgId) -> Result<Option<Organization>, StoreError> {
        let row = self.fetch_optional(&sql::ORG_BY_ID, &[id.into()]).await?;
        row.as_ref().map(org::<B>).transpose()
    }

    async fn org_by_slug(&self, slug: &OrgSlug) -> Result<Option<Organization>, StoreError> {
        let row = self
            .fetch_optional(&sql::ORG_BY_SLUG, &[slug.as_str().into()])
            .await?;
        row.as_ref().map(org::<B>).transpose()
    }

    async fn orgs(
        &self,
        _by: &DeploymentCtx,
        page: &PageRequest,
    ) -> Result<Page<Organization>, StoreError> {
        let rows = self
            .fetch_all(&sql::ORGS, &[Arg::after(page), Arg::limit(page)])
            .await?;
        let orgs = rows.iter().map(org::<B>).collect::<Result<_, _>>()?;
        Ok(Page::cut(orgs, page, |org| org.id.as_bytes().to_vec()))
    }

    async fn create_org(
        &self,
        _by: &DeploymentCtx,
        org: &Organization,
        owner: &Invitation,
        events: &[AuditEvent],
    ) -> Result<CreateOrgOutcome, StoreError> {
        let mut write = self.writing(Scope::org(org.id)).await?;
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
        let mut write = self.writing(Scope::org(ctx.org())).await?;
        let id = ctx.org();
        if let Some(name) = &update.name {
            write
                .execute(&sql::RENAME_ORG, &[id.into(), name.as_str().into()])
                .await?;
        }
        if let Some(policy) = &update.policy {
            write
                .execute(
                    &sql::SET_ORG_POLICY,
                    &[id.into(), policy.max_session_seconds.into()],
                )
                .await?;
        }
        let row = write.fetch_optional(&sql::ORG_BY_ID, &[id.into()]).await?;
        let Some(row) = row else { return Ok(None) };
        let updated = org::<B>(&row)?;
        write.record(events).await?;
        write.commit().await?;
        Ok(Some(updated))
    }
}
