//! Organizations.

use async_trait::async_trait;

use super::state::{State, broken, page};
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Aal, DeploymentCtx, Invitation, OrgCtx, OrgId, OrgSlug, Organization, Page, PageRequest,
    Revocation, RevocationEntry, SessionId,
};
use crate::ports::store::{CreateOrgOutcome, OrgChange, OrgChanged, OrgStore, StoreError};

/// Ends the organization's grants of sessions that have shown one factor.
fn end_weak_grants(state: &mut State, org: OrgId, change: &OrgChange) -> Vec<RevocationEntry> {
    let sessions = &state.sessions;
    let weak = |session: &SessionId| {
        sessions
            .get(session)
            .is_some_and(|session| session.aal == Aal::One && session.ended_at.is_none())
    };
    let mut revoked = Vec::new();
    for ((of, session), grant) in &mut state.grants {
        if *of == org && grant.ended_at.is_none() && weak(session) {
            grant.ended_at = Some(change.at);
            revoked.push(RevocationEntry {
                what: Revocation::Grant(*session, org),
                expires_at: change.tokens_expire_at,
            });
        }
    }
    state.revocations.extend(&revoked);
    revoked
}

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
        change: &OrgChange,
        events: &[AuditEvent],
    ) -> Result<Option<OrgChanged>, StoreError> {
        let update = &change.update;
        self.write(|state| {
            state.outbox.admit(events)?;
            let Some(stored) = state.orgs.get_mut(&org.org()) else {
                return Ok(None);
            };
            if let Some(name) = &update.name {
                stored.name = name.clone();
            }
            stored.policy = update.policy.apply(stored.policy);
            let org = stored.clone();
            let revoked = match update.policy.factor_required {
                Some(true) => end_weak_grants(state, org.id, change),
                _ => Vec::new(),
            };
            state.outbox.record(events);
            Ok(Some(OrgChanged { org, revoked }))
        })
    }
}
