//! Memberships.

use async_trait::async_trait;

use super::state::{Place, State, page};
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Member, OrgCtx, OrgId, Page, PageRequest, Revocation, RevocationEntry, RoleName, UserId,
};
use crate::ports::store::{MemberOutcome, MemberStore, RoleChange, StoreError};

fn member(state: &State, user: UserId, place: &Place) -> Option<Member> {
    let user = state.users.get(&user)?;
    Some(Member {
        user: user.id,
        email: user.email.clone(),
        name: user.name.clone(),
        role: place.role.clone(),
        since: place.since,
        disabled: user.disabled_at.is_some(),
    })
}

/// Whether the organization has an owner besides this person.
fn has_other_owner(state: &State, org: OrgId, user: UserId) -> bool {
    state.memberships.iter().any(|((of, who), place)| {
        *of == org && *who != user && !place.ended && place.role == RoleName::OWNER
    })
}

fn end_grants(state: &mut State, org: OrgId, change: &RoleChange) {
    let sessions = &state.sessions;
    for ((of, session), grant) in &mut state.grants {
        let owner = sessions.get(session).map(|session| session.user);
        if *of == org && owner == Some(change.user) {
            grant.ended_at = grant.ended_at.or(Some(change.at));
        }
    }
}

#[async_trait]
impl MemberStore for MemoryStore {
    async fn members(
        &self,
        org: &OrgCtx,
        request: &PageRequest,
    ) -> Result<Page<Member>, StoreError> {
        Ok(self.read(|state| {
            let members = state
                .memberships
                .iter()
                .filter(|((of, _), place)| *of == org.org() && !place.ended)
                .filter_map(|((_, user), place)| member(state, *user, place));
            page(members, request, |member| *member.user.as_bytes())
        }))
    }

    async fn member(&self, org: &OrgCtx, user: UserId) -> Result<Option<Member>, StoreError> {
        Ok(self.read(|state| {
            let place = state.place(org.org(), user)?;
            member(state, user, place)
        }))
    }

    async fn change_role(
        &self,
        org: &OrgCtx,
        change: &RoleChange,
        events: &[AuditEvent],
    ) -> Result<MemberOutcome, StoreError> {
        let by = org.caller().actor.user();
        let (org, user) = (org.org(), change.user);
        self.write(|state| {
            state.outbox.admit(events)?;
            let place = state.place(org, user);
            if place.is_none_or(|place| place.role != change.from)
                || !state.is_at(org, change.version)
            {
                return Ok(MemberOutcome::Raced);
            }
            let leaves_owners =
                change.from == RoleName::OWNER && change.to.as_ref() != Some(&RoleName::OWNER);
            if leaves_owners && !has_other_owner(state, org, user) {
                return Ok(MemberOutcome::LastOwner);
            }
            let Some(place) = state.memberships.get_mut(&(org, user)) else {
                return Ok(MemberOutcome::Raced);
            };
            place.epoch = place.epoch.next();
            let epoch = place.epoch;
            place.changed_at = change.at;
            place.changed_by = by;
            match &change.to {
                Some(role) => place.role = role.clone(),
                None => {
                    place.ended = true;
                    end_grants(state, org, change);
                }
            }
            let entry = RevocationEntry {
                what: Revocation::Member(org, user, epoch),
                expires_at: change.tokens_expire_at,
            };
            state.revocations.push(entry);
            state.outbox.record(events);
            Ok(MemberOutcome::Changed(entry))
        })
    }
}
