//! Reading and changing an organization, and who the caller is.

use super::Identity;
use crate::domain::audit::{Action, Actor, MetaValue, Resource};
use crate::domain::{
    Aal, DeploymentCtx, Membership, OrgCtx, Organization, Page, PageRequest, User, UserCtx,
};
use crate::ports::store::{OrgChange, OrgUpdate, StoreError};

/// Why an organization could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrgError {
    /// It is gone.
    #[error("no such organization")]
    NotFound,
    /// Who asks for second factors has shown one.
    #[error("the caller's own session has shown no second factor")]
    FactorRequired,
    /// Whether people show a second factor is said by a person.
    #[error("the caller is not a person")]
    NotAPerson,
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
    /// Asking for a second factor ends the access of sessions that have shown
    /// none; so that nobody locks themselves out, the caller has shown one. A
    /// service account has none to show, so it neither asks for one nor lifts that.
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
        let at = self.now();
        if let Some(required) = update.policy.factor_required {
            if matches!(org.caller().actor, Actor::Service { .. }) {
                return Err(OrgError::NotAPerson);
            }
            if required && !self.shows_two(org).await? {
                return Err(OrgError::FactorRequired);
            }
        }
        let on = Resource::new("org", org.org());
        let mut event = self
            .event(at, org.caller(), Action::OrgUpdated, on)
            .in_org(org.org());
        if let Some(name) = &update.name {
            event = event.with("name", MetaValue::public(name.as_str()));
        }
        if let Some(seconds) = update.policy.max_session_seconds {
            let seconds = seconds.map_or(-1, i64::from);
            event = event.with("max_session_seconds", MetaValue::count(seconds));
        }
        if let Some(required) = update.policy.factor_required {
            event = event.with("factor_required", MetaValue::public(required));
        }
        let change = OrgChange {
            update: update.clone(),
            at,
            tokens_expire_at: self.tokens_expire_at(at),
        };
        let changed = self.store().update_org(org, &change, &[event]).await?;
        let changed = changed.ok_or(OrgError::NotFound)?;
        self.publish(&changed.revoked);
        Ok(changed.org)
    }

    /// Whether the caller's session has shown two factors; a caller without a session has none to lose.
    async fn shows_two(&self, org: &OrgCtx) -> Result<bool, StoreError> {
        let Actor::User {
            session: Some(session),
            ..
        } = org.caller().actor
        else {
            return Ok(true);
        };
        let stored = self.store().session(session).await?;
        Ok(stored.is_some_and(|stored| stored.session.aal == Aal::Two))
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
