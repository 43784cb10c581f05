//! Organizations.

use async_trait::async_trait;

use super::state::{broken, page};
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    DeploymentCtx, Invitation, OrgCtx, OrgId, OrgSlug, Organization, Page, PageRequest,
};
use crate::ports::store::{CreateOrgOutcome, OrgStore, OrgUpdate, StoreError};

#[async_trait]
impl OrgStore for MemoryStore {
    async fn org(&self, id: OrgId) -> Result<Option<Organization>, StoreError> {
        Ok(self.read(|state| state.orgs.get(&id).cloned()))
    }

    async fn org_by_slug(&self, slug: &OrgSlug) -> Result<Option<Organization>, StoreError> {
        Ok(self.read(|state| {
            let id = state.slugs.get(slug)?;
            state.orgs.get(id).cloned()
        }))
    }

    async fn orgs(
        &self,
        _by: &DeploymentCtx,
        request: &PageRequest,
    ) -> Result<Page<Organization>, StoreError> {
        Ok(self.read(|state| {
            let orgs = state.orgs.values().cloned();
            page(orgs, request, |org| *org.id.as_bytes())
        }))
    }

    async fn create_org(
        &self,
        _by: &DeploymentCtx,
        org: &Organization,
        owner: &Invitation,
        events: &[AuditEvent],
    ) -> Result<CreateOrgOutcome, StoreError> {
        self.write(|state| {
            if state.slugs.contains_key(&org.slug) {
                return Ok(CreateOrgOutcome::SlugTaken);
            }
            if state.orgs.contains_key(&org.id) {
                return Err(broken("an organization's id is unique"));
            }
            state.may_invite(org.id, owner)?;
            state.outbox.admit(events)?;
            state.add_org(org);
            let mut owner = owner.clone();
            owner.org = org.id;
            state.invitations.insert((org.id, owner.id), owner);
            state.outbox.record(events);
            Ok(CreateOrgOutcome::Created)
        })
    }

    async fn update_org(
        &self,
        org: &OrgCtx,
        update: &OrgUpdate,
        events: &[AuditEvent],
    ) -> Result<Option<Organization>, StoreError> {
        self.write(|state| {
            state.outbox.admit(events)?;
            let Some(stored) = state.orgs.get_mut(&org.org()) else {
                return Ok(None);
            };
            if let Some(name) = &update.name {
                stored.name = name.clone();
            }
            if let Some(policy) = update.policy {
                stored.policy = policy;
            }
            let updated = stored.clone();
            state.outbox.record(events);
            Ok(Some(updated))
        })
    }
}
