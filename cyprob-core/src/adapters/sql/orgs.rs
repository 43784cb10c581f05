//! Organizations.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, invitations, revocations, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    DeploymentCtx, Invitation, OrgCtx, OrgId, OrgPolicy, OrgSlug, Organization, Page, PageRequest,
    Revocation, RevocationEntry,
};
use crate::ports::store::{
    CreateOrgOutcome, OrgChange, OrgChanged, OrgStore, OrgUpdate, StoreError,
};

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
            factor_required: row.get("factor_required")?,
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
                org.policy.factor_required.into(),
                org.created_at.into(),
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// Ends the organization's grants of sessions that have shown one factor.
///
/// INVARIANT: the organization's row was written in this transaction, so no such grant comes in beside it.
async fn end_weak_grants<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    change: &OrgChange,
) -> Result<Vec<RevocationEntry>, StoreError> {
    let args = [org.into(), change.at.into()];
    let rows = write.fetch_all(&sql::TENANT_END_WEAK_GRANTS, &args).await?;
    let mut revoked = Vec::with_capacity(rows.len());
    for row in &rows {
        let entry = RevocationEntry {
            what: Revocation::Grant(Columns::of(row, "grants").id("session_id")?, org),
            expires_at: change.tokens_expire_at,
        };
        revocations::insert(write, &entry).await?;
        revoked.push(entry);
    }
    Ok(revoked)
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
        change: &OrgChange,
        events: &[AuditEvent],
    ) -> Result<Option<OrgChanged>, StoreError> {
        let OrgUpdate { name, policy } = &change.update;
        let mut write = self.writing(Scope::org(ctx.org())).await?;
        let id = ctx.org();
        if let Some(name) = name {
            write
                .execute(&sql::RENAME_ORG, &[id.into(), name.as_str().into()])
                .await?;
        }
        if let Some(seconds) = policy.max_session_seconds {
            write
                .execute(&sql::SET_ORG_BOUND, &[id.into(), seconds.into()])
                .await?;
        }
        if let Some(required) = policy.factor_required {
            write
                .execute(&sql::SET_ORG_FACTOR, &[id.into(), required.into()])
                .await?;
        }
        let row = write.fetch_optional(&sql::ORG_BY_ID, &[id.into()]).await?;
        let Some(row) = row else { return Ok(None) };
        let org = org::<B>(&row)?;
        let revoked = match policy.factor_required {
            Some(true) => end_weak_grants(&mut write, id, change).await?,
            _ => Vec::new(),
        };
        write.record(events).await?;
        write.commit().await?;
        Ok(Some(OrgChanged { org, revoked }))
    }
}
