//! Everything that the store holds, and the rules that a database would keep.

use std::collections::BTreeMap;

use super::emails::StoredChange;
use super::failures::Counters;
use super::outbox::Events;
use super::resets::ArmedReset;
use super::second_factors::Factor;
use crate::domain::{
    Aal, CustomRole, Email, EmailChangeId, Epoch, FactorEnrolment, Grant, Invitation, InvitationId,
    Inviter, KeyId, OrgId, OrgSlug, Organization, Page, PageRequest, ReviewId, Revocation,
    RevocationEntry, RoleId, RoleName, RoleReview, RoleVersion, ServiceAccount, ServiceAccountId,
    ServiceKey, Session, SessionId, SessionView, Timestamp, TokenDigest, User, UserId,
};
use crate::ports::store::{SessionOwner, StoreError, StoredSession};

#[derive(Default)]
pub(super) struct State {
    pub(super) door: Door,
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) emails: BTreeMap<Email, UserId>,
    pub(super) orgs: BTreeMap<OrgId, Organization>,
    pub(super) slugs: BTreeMap<OrgSlug, OrgId>,
    pub(super) memberships: BTreeMap<(OrgId, UserId), Place>,
    pub(super) invitations: BTreeMap<(OrgId, InvitationId), Invitation>,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) grants: BTreeMap<(OrgId, SessionId), Grant>,
    pub(super) reviews: BTreeMap<(OrgId, ReviewId), RoleReview>,
    pub(super) factors: BTreeMap<UserId, Factor>,
    pub(super) enrolments: BTreeMap<SessionId, FactorEnrolment>,
    pub(super) revocations: Vec<RevocationEntry>,
    pub(super) failures: Counters,
    pub(super) resets: Vec<ArmedReset>,
    pub(super) email_changes: BTreeMap<EmailChangeId, StoredChange>,
    /// Sessions opened up to this time get no further grant of the organization.
    pub(super) signed_out: BTreeMap<OrgId, Timestamp>,
    pub(super) roles: BTreeMap<(OrgId, RoleId), CustomRole>,
    pub(super) service_accounts: BTreeMap<(OrgId, ServiceAccountId), ServiceAccount>,
    pub(super) service_keys: BTreeMap<(OrgId, KeyId), ServiceKey>,
    pub(super) outbox: Events,
}

/// The one-way door of the first administrator.
#[derive(Default)]
pub(super) struct Door {
    pub(super) armed: Option<(TokenDigest, Timestamp)>,
    pub(super) closed: bool,
}

/// A membership; one that ended stays, so that its epoch only grows.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) role: RoleName,
    pub(super) epoch: Epoch,
    pub(super) since: Timestamp,
    pub(super) ended: bool,
    /// When the role was last given, changed or taken, and by whom, where it was a person.
    pub(super) changed_at: Timestamp,
    pub(super) changed_by: Option<UserId>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Broken(&'static str);

/// What a database's unique and foreign keys would refuse.
pub(super) fn broken(rule: &'static str) -> StoreError {
    StoreError::unavailable(Broken(rule))
}

/// A page of items that come in the order of their keys.
pub(super) fn page<T>(
    items: impl Iterator<Item = T>,
    request: &PageRequest,
    key: impl Fn(&T) -> [u8; 16],
) -> Page<T> {
    let after = request.after().unwrap_or_default();
    let found = items
        .filter(|item| key(item).as_slice() > after)
        .take(request.limit().saturating_add(1))
        .collect();
    Page::cut(found, request, |item| key(item).to_vec())
}

impl State {
    pub(super) fn may_add_user(&self, user: &User) -> Result<(), StoreError> {
        if self.users.contains_key(&user.id) || self.emails.contains_key(&user.email) {
            return Err(broken("an account's id and address are unique"));
        }
        Ok(())
    }

    pub(super) fn add_user(&mut self, user: &User) {
        self.emails.insert(user.email.clone(), user.id);
        self.users.insert(user.id, user.clone());
    }

    pub(super) fn add_org(&mut self, org: &Organization) {
        self.slugs.insert(org.slug.clone(), org.id);
        self.orgs.insert(org.id, org.clone());
    }

    pub(super) fn place(&self, org: OrgId, user: UserId) -> Option<&Place> {
        self.memberships
            .get(&(org, user))
            .filter(|place| !place.ended)
    }

    /// Makes or revives a membership.
    ///
    /// INVARIANT: there is no live one.
    pub(super) fn join(
        &mut self,
        org: OrgId,
        user: UserId,
        role: &RoleName,
        by: Option<UserId>,
        at: Timestamp,
    ) {
        let epoch = self
            .memberships
            .get(&(org, user))
            .map_or(Epoch::FIRST, |place| place.epoch.next());
        let place = Place {
            role: role.clone(),
            epoch,
            since: at,
            ended: false,
            changed_at: at,
            changed_by: by,
        };
        self.memberships.insert((org, user), place);
    }

    /// Whether a role that was checked in some version is still at it; a built-in one always is.
    pub(super) fn is_at(&self, org: OrgId, version: Option<RoleVersion>) -> bool {
        version.is_none_or(|version| {
            let role = self.roles.get(&(org, version.id));
            role.is_some_and(|role| role.version == version)
        })
    }

    pub(super) fn may_invite(&self, org: OrgId, invitation: &Invitation) -> Result<(), StoreError> {
        let known = self
            .invitations
            .values()
            .any(|there| there.token == invitation.token);
        if known || self.invitations.contains_key(&(org, invitation.id)) {
            return Err(broken("an invitation's id and token are unique"));
        }
        // A service account that is deleted leaves its invitations, which are good no more.
        if matches!(invitation.inviter, Inviter::User(user) if !self.users.contains_key(&user)) {
            return Err(broken("an inviter has an account"));
        }
        Ok(())
    }

    pub(super) fn may_grant(&self, grant: &Grant) -> Result<(), StoreError> {
        if !self.orgs.contains_key(&grant.org) {
            return Err(broken("a grant's organization exists"));
        }
        Ok(())
    }

    /// Grows a person's epoch, ends all sessions and stores the revocation of the old epoch.
    pub(super) fn end_epoch(
        &mut self,
        user: UserId,
        at: Timestamp,
        tokens_expire_at: Timestamp,
    ) -> Option<RevocationEntry> {
        let owner = self.users.get_mut(&user)?;
        owner.epoch = owner.epoch.next();
        let entry = RevocationEntry {
            what: Revocation::User(user, owner.epoch),
            expires_at: tokens_expire_at,
        };
        for session in self.sessions.values_mut() {
            if session.user == user {
                session.ended_at = session.ended_at.or(Some(at));
            }
        }
        self.revocations.push(entry);
        Some(entry)
    }

    /// Whether the organization lets a session of this strength in.
    pub(super) fn lets_in(&self, org: OrgId, aal: Aal) -> bool {
        self.orgs
            .get(&org)
            .is_none_or(|org| aal == Aal::Two || !org.policy.factor_required)
    }

    /// A session with its owner's state.
    pub(super) fn stored(&self, id: SessionId) -> Option<StoredSession> {
        let session = self.sessions.get(&id)?.clone();
        let owner = self.users.get(&session.user)?;
        let owner = SessionOwner {
            epoch: owner.epoch,
            disabled: owner.disabled_at.is_some(),
        };
        Some(StoredSession { session, owner })
    }

    /// How a list shows a session that is live.
    pub(super) fn view(
        &self,
        id: SessionId,
        at: Timestamp,
        created_at: impl FnOnce(&Session) -> Timestamp,
    ) -> Option<SessionView> {
        let stored = self.stored(id)?;
        let session = &stored.session;
        let owner = self.users.get(&session.user)?;
        stored.is_live(at).then(|| SessionView {
            id,
            user: session.user,
            email: owner.email.clone(),
            name: owner.name.clone(),
            created_at: created_at(session),
            last_used_at: session.last_used_at,
            expires_at: session.expires_at(),
            auth_time: session.auth_time,
            aal: session.aal,
            client: session.client.clone(),
            ip_address: session.ip_address,
        })
    }
}
