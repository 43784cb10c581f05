//! Reviews of an organization's roles.

use async_trait::async_trait;

use super::state::{State, broken, page};
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    HeldRole, MappingDigest, OrgCtx, OrgId, Page, PageRequest, ReviewId, ReviewRecord, RoleHolder,
    RoleReview, SignOff, Timestamp, UserId,
};
use crate::ports::store::{ReviewStore, SignOffOutcome, StoreError};

/// When a session of the person with access to the organization was last used.
fn last_used(state: &State, org: OrgId, user: UserId) -> Option<Timestamp> {
    let granted = |(of, session): &(OrgId, _)| (*of == org).then_some(*session);
    state
        .grants
        .keys()
        .filter_map(granted)
        .filter_map(|session| state.sessions.get(&session))
        .filter(|session| session.user == user)
        .map(|session| session.last_used_at)
        .max()
}

fn holders(state: &State, org: OrgId) -> Vec<RoleHolder> {
    let members = state.memberships.iter();
    members
        .filter(|((of, _), place)| *of == org && !place.ended)
        .filter_map(|((_, user), place)| {
            let account = state.users.get(user)?;
            Some(RoleHolder {
                email: account.email.clone(),
                name: account.name.clone(),
                held: HeldRole {
                    user: *user,
                    role: place.role.clone(),
                    since: place.since,
                    last_used_at: last_used(state, org, *user),
                },
            })
        })
        .collect()
}

#[async_trait]
impl ReviewStore for MemoryStore {
    async fn role_holders(&self, org: &OrgCtx) -> Result<Vec<RoleHolder>, StoreError> {
        Ok(self.read(|state| holders(state, org.org())))
    }

    async fn changed_roles(
        &self,
        org: &OrgCtx,
        by: UserId,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.read(|state| {
            state.memberships.iter().any(|((of, _), place)| {
                *of == org.org() && place.changed_by == Some(by) && place.changed_at >= since
            })
        }))
    }

    async fn open_review(
        &self,
        org: &OrgCtx,
        review: &RoleReview,
        events: &[AuditEvent],
    ) -> Result<(), StoreError> {
        let key = (org.org(), review.record.id);
        self.write(|state| {
            state.outbox.admit(events)?;
            if !state.orgs.contains_key(&org.org()) {
                return Err(broken("a review's organization exists"));
            }
            if state.reviews.contains_key(&key) {
                return Err(broken("a review's id is unique"));
            }
            state
                .reviews
                .retain(|(of, _), there| *of != org.org() || there.record.signed.is_some());
            let mut review = review.clone();
            review.record.signed = None;
            state.reviews.insert(key, review);
            state.outbox.record(events);
            Ok(())
        })
    }

    async fn reviews(
        &self,
        org: &OrgCtx,
        request: &PageRequest,
    ) -> Result<Page<ReviewRecord>, StoreError> {
        Ok(self.read(|state| {
            let reviews = state.reviews.iter();
            let records = reviews
                .filter(|((of, _), _)| *of == org.org())
                .map(|(_, review)| review.record.clone());
            page(records, request, |record| *record.id.as_bytes())
        }))
    }

    async fn last_signed_review(&self, org: &OrgCtx) -> Result<Option<ReviewRecord>, StoreError> {
        Ok(self.read(|state| {
            let reviews = state.reviews.iter();
            reviews
                .filter(|((of, _), review)| *of == org.org() && review.record.signed.is_some())
                .map(|(_, review)| &review.record)
                .max_by_key(|record| (record.opened_at, record.id))
                .cloned()
        }))
    }

    async fn review(&self, org: &OrgCtx, id: ReviewId) -> Result<Option<RoleReview>, StoreError> {
        Ok(self.read(|state| state.reviews.get(&(org.org(), id)).cloned()))
    }

    async fn sign_review(
        &self,
        org: &OrgCtx,
        id: ReviewId,
        sign_off: &SignOff,
        events: &[AuditEvent],
    ) -> Result<SignOffOutcome, StoreError> {
        self.write(|state| {
            state.outbox.admit(events)?;
            let now = holders(state, org.org());
            let now = MappingDigest::of(org.org(), now.iter().map(|holder| &holder.held));
            let Some(review) = state.reviews.get_mut(&(org.org(), id)) else {
                return Ok(SignOffOutcome::NotFound);
            };
            if review.record.signed.is_some() {
                return Ok(SignOffOutcome::AlreadySigned);
            }
            if review.record.digest != now {
                return Ok(SignOffOutcome::Changed);
            }
            review.record.signed = Some(sign_off.clone());
            let record = review.record.clone();
            state.outbox.record(events);
            Ok(SignOffOutcome::Signed(record))
        })
    }
}
