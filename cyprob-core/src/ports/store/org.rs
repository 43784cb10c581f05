//! Organizations.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    DeploymentCtx, DisplayName, Invitation, OrgCtx, OrgId, OrgPolicy, OrgSlug, Organization, Page,
    PageRequest, RevocationEntry, Timestamp,
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
    /// What to change of the policy.
    pub policy: PolicyUpdate,
}

/// What to change of an organization's policy; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyUpdate {
    /// The new bound on the age of a sign-in; `Some(None)` lifts it.
    pub max_session_seconds: Option<Option<u32>>,
    /// Whether a second factor is required from now on.
    pub factor_required: Option<bool>,
}

impl PolicyUpdate {
    /// The policy that results from the one in force.
    #[must_use]
    pub fn apply(self, in_force: OrgPolicy) -> OrgPolicy {
        OrgPolicy {
            max_session_seconds: self
                .max_session_seconds
                .unwrap_or(in_force.max_session_seconds),
            factor_required: self.factor_required.unwrap_or(in_force.factor_required),
        }
    }
}

/// A change of an organization with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgChange {
    /// What.
    pub update: OrgUpdate,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// An organization as it is after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgChanged {
    /// The organization.
    pub org: Organization,
    /// What ended with the change; already stored, to be published.
    pub revoked: Vec<RevocationEntry>,
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
    ///
    /// A change that asks for a second factor ends the organization's grants of
    /// sessions that have shown none, in the same step.
    async fn update_org(
        &self,
        org: &OrgCtx,
        change: &OrgChange,
        events: &[AuditEvent],
    ) -> Result<Option<OrgChanged>, StoreError>;
}
