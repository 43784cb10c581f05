//! Organizations.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    DeploymentCtx, DisplayName, Invitation, OrgCtx, OrgId, OrgPolicy, OrgSlug, Organization, Page,
    PageRequest,
};

/// What became of a new organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CreateOrgOutcome {
    /// It exists now.
    Created,
    /// Another organization has the slug. Nothing changed.
    SlugTaken,
}

/// What to change of an organization; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrgUpdate {
    /// The new name.
    pub name: Option<DisplayName>,
    /// The new policy.
    pub policy: Option<OrgPolicy>,
}

/// Organizations.
#[async_trait]
pub trait OrgStore: Debug + Send + Sync + 'static {
    /// The organization with this id.
    async fn org(&self, id: OrgId) -> Result<Option<Organization>, StoreError>;

    /// The organization with this slug.
    async fn org_by_slug(&self, slug: &OrgSlug) -> Result<Option<Organization>, StoreError>;

    /// All organizations, oldest first (cursor: the id's bytes).
    async fn orgs(
        &self,
        by: &DeploymentCtx,
        page: &PageRequest,
    ) -> Result<Page<Organization>, StoreError>;

    /// Makes an organization and the invitation of its first owner.
    async fn create_org(
        &self,
        by: &DeploymentCtx,
        org: &Organization,
        owner: &Invitation,
        events: &[AuditEvent],
    ) -> Result<CreateOrgOutcome, StoreError>;

    /// Changes the caller's organization and returns it as it is then; `None` if it is gone.
    async fn update_org(
        &self,
        org: &OrgCtx,
        update: &OrgUpdate,
        events: &[AuditEvent],
    ) -> Result<Option<Organization>, StoreError>;
}
