//! Invitations.

use async_trait::async_trait;

use super::emails::is_taken;
use super::state::{broken, page};
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Invitation, InvitationId, InvitationState, OrgCtx, Page, PageRequest, Timestamp, TokenDigest,
};
use crate::ports::store::{Acceptance, AcceptanceOutcome, InvitationStore, Invitee, StoreError};

#[async_trait]
impl InvitationStore for MemoryStore {
    async fn invite(
        &self,
        org: &OrgCtx,
        invitation: &Invitation,
        events: &[AuditEvent],
    ) -> Result<(), StoreError> {
        let org = org.org();
        self.write(|state| {
            if !state.orgs.contains_key(&org) {
                return Err(broken("an invitation's organization exists"));
            }
            state.may_invite(org, invitation)?;
            state.outbox.admit(events)?;
            let mut invitation = invitation.clone();
            invitation.org = org;
            state.invitations.insert((org, invitation.id), invitation);
            state.outbox.record(events);
            Ok(())
        })
    }

    async fn invitations(
        &self,
        org: &OrgCtx,
        request: &PageRequest,
    ) -> Result<Page<Invitation>, StoreError> {
        Ok(self.read(|state| {
            let invitations = state.invitations.iter();
            let ours = invitations
                .filter(|((of, _), _)| *of == org.org())
                .map(|(_, invitation)| invitation.clone());
            page(ours, request, |invitation| *invitation.id.as_bytes())
        }))
    }

    async fn revoke_invitation(
        &self,
        org: &OrgCtx,
        id: InvitationId,
        at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError> {
        self.write(|state| {
            state.outbox.admit(events)?;
            let open = state
                .invitations
                .get_mut(&(org.org(), id))
                .filter(|invitation| invitation.state(at) == InvitationState::Open);
            let Some(invitation) = open else {
                return Ok(false);
            };
            invitation.revoked_at = Some(at);
            state.outbox.record(events);
            Ok(true)
        })
    }

    async fn invitation_by_token(
        &self,
        token: &TokenDigest,
    ) -> Result<Option<Invitation>, StoreError> {
        Ok(self.read(|state| {
            let mut invitations = state.invitations.values();
            invitations
                .find(|invitation| invitation.token.matches(token))
                .cloned()
        }))
    }

    async fn accept(
        &self,
        acceptance: &Acceptance,
        events: &[AuditEvent],
    ) -> Result<AcceptanceOutcome, StoreError> {
        let at = acceptance.at;
        self.write(|state| {
            let found = state.invitations.values().find(|invitation| {
                invitation.id == acceptance.invitation
                    && invitation.token.matches(&acceptance.token)
                    && invitation.state(at) == InvitationState::Open
            });
            let Some(found) = found.cloned() else {
                return Ok(AcceptanceOutcome::Gone);
            };
            let user = match &acceptance.invitee {
                Invitee::Existing(user) if !state.users.contains_key(user) => {
                    return Err(broken("a member has an account"));
                }
                Invitee::Existing(user) => *user,
                Invitee::New(user) if is_taken(state, &user.email, user.id, at) => {
                    return Ok(AcceptanceOutcome::EmailTaken);
                }
                Invitee::New(user) => {
                    state.may_add_user(user)?;
                    user.id
                }
            };
            if state.place(found.org, user).is_some() {
                return Ok(AcceptanceOutcome::AlreadyMember);
            }
            if !state.is_at(found.org, acceptance.version) {
                return Ok(AcceptanceOutcome::RoleChanged);
            }
            state.outbox.admit(events)?;
            if let Invitee::New(user) = &acceptance.invitee {
                state.add_user(user);
            }
            if let Some(invitation) = state.invitations.get_mut(&(found.org, found.id)) {
                invitation.accepted_at = Some(at);
            }
            state.join(found.org, user, &found.role, found.inviter.user(), at);
            state.outbox.record(events);
            Ok(AcceptanceOutcome::Accepted)
        })
    }
}
