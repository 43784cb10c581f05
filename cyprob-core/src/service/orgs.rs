//! Reading and changing an organization, and who the caller is.

use super::Identity;
use crate::domain::audit::{Action, MetaValue, Resource};
use crate::domain::{
    DeploymentCtx, Membership, OrgCtx, Organization, Page, PageRequest, User, UserCtx,
};
use crate::ports::store::{OrgUpdate, StoreError};

/// Why an organization could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrgError {
    /// It is gone.
    #[error("no such organization")]
    NotFound,
    /// The store failed.
    #[error("the organization could not be read or stored")]
    Store(#[from] StoreError),
}

impl Identity {
    /// The caller's organization.
    ///
    /// # Errors
    ///
    /// [`OrgError`].
    pub async fn org(&self, org: &OrgCtx) -> Result<Organization, OrgError> {
        self.store().org(org.org()).await?.ok_or(OrgError::NotFound)
    }

    /// Changes the caller's organization and returns it. A change of nothing is recorded all the same.
    ///
    /// # Errors
    ///
    /// [`OrgError`]; nothing was changed.
    #[tracing::instrument(name = "core.org.update", skip_all, fields(org.id = %org.org()))]
    pub async fn update_org(
        &self,
        org: &OrgCtx,
        update: &OrgUpdate,
    ) -> Result<Organization, OrgError> {
        let on = Resource::new("org", org.org());
        let mut event = self
            .event(self.now(), org.caller(), Action::OrgUpdated, on)
            .in_org(org.org());
        if let Some(name) = &update.name {
            event = event.with("name", MetaValue::public(name.as_str()));
        }
        if let Some(policy) = &update.policy {
            let seconds = policy.max_session_seconds.map_or(-1, i64::from);
            event = event.with("max_session_seconds", MetaValue::count(seconds));
        }
        self.store()
            .update_org(org, update, &[event])
            .await?
            .ok_or(OrgError::NotFound)
    }

    /// All organizations of the deployment.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn orgs(
        &self,
        by: &DeploymentCtx,
        page: &PageRequest,
    ) -> Result<Page<Organization>, StoreError> {
        self.store().orgs(by, page).await
    }

    /// The caller's account and organizations; `None` if the account is gone.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn me(&self, by: &UserCtx) -> Result<Option<(User, Vec<Membership>)>, StoreError> {
        let Some(user) = self.store().user(by.user()).await? else {
            return Ok(None);
        };
        Ok(Some((user, self.store().memberships(by.user()).await?)))
    }
}
