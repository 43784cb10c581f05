//! Sessions and grants.

use async_trait::async_trait;

use super::accesses::{accesses, renewal};
use super::state::{State, broken, page};
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Access, Epoch, Grant, OrgCtx, Page, PageRequest, RefreshKeyId, Revocation, RevocationEntry,
    Session, SessionId, SessionSeed, SessionView, Timestamp, UserId,
};
use crate::ports::store::{
    Advance, Claimed, GrantOutcome, Renewal, SessionEnd, SessionStore, Standing, StoreError,
    StoredSession,
};

/// Ends one session and stores its revocation.
fn end(state: &mut State, id: SessionId, end: &SessionEnd) -> RevocationEntry {
    if let Some(session) = state.sessions.get_mut(&id) {
        session.ended_at = Some(end.at);
    }
    let entry = RevocationEntry {
        what: Revocation::Session(id),
        expires_at: end.tokens_expire_at,
    };
    state.revocations.push(entry);
    entry
}

/// Stores a new session and its first grant; `false`, and nothing, if that may not be.
pub(super) fn open(
    state: &mut State,
    session: &Session,
    grant: Option<&Grant>,
    events: &[AuditEvent],
) -> Result<bool, StoreError> {
    let owner = state.users.get(&session.user);
    let holds = owner.is_some_and(|owner| {
        owner.epoch == session.credential_epoch && owner.disabled_at.is_none()
    });
    if !holds || grant.is_some_and(|grant| !state.lets_in(grant.org, session.aal)) {
        return Ok(false);
    }
    if state.sessions.contains_key(&session.id) {
        return Err(broken("a session's id is unique"));
    }
    if let Some(grant) = grant {
        state.may_grant(grant)?;
        if grant.session != session.id && !state.sessions.contains_key(&grant.session) {
            return Err(broken("a grant's session exists"));
        }
        if state.grants.contains_key(&(grant.org, grant.session)) {
            return Err(broken("a session has one grant for an organization"));
        }
    }
    state.outbox.admit(events)?;
    state.sessions.insert(session.id, session.clone());
    if let Some(grant) = grant {
        state.grants.insert((grant.org, grant.session), *grant);
    }
    state.outbox.record(events);
    Ok(true)
}

/// Whether a step to another generation holds.
pub(super) fn may_advance(state: &State, step: &Advance) -> bool {
    state.stored(step.session).is_some_and(|stored| {
        stored.is_live(step.at)
            && stored.session.refresh.generation == step.from
            && stored.session.credential_epoch == step.credential_epoch
    })
}

/// Takes a step that holds.
pub(super) fn advance(session: &mut Session, step: &Advance) {
    session.refresh = step.to.clone();
    session.last_used_at = step.at;
    session.idle_expires_at = step.idle_expires_at;
}

/// Re-keys the session that goes on after a changed credential and ends the person's others.
pub(super) fn rekey_and_end_others(
    state: &mut State,
    user: UserId,
    keep: Option<&(SessionId, SessionSeed, RefreshKeyId)>,
    at: Timestamp,
    epoch: Epoch,
) -> Option<Session> {
    let kept = keep.map(|(session, ..)| *session);
    for session in state.sessions.values_mut() {
        if session.user == user && Some(session.id) != kept {
            session.ended_at = session.ended_at.or(Some(at));
        }
    }
    let (session, seed, key) = keep?;
    let session = state
        .sessions
        .get_mut(session)
        .filter(|session| session.user == user && session.is_live(at))?;
    session.seed = seed.clone();
    session.refresh.key = *key;
    session.refresh.previous_key = None;
    session.refresh.generation = session.refresh.generation.saturating_add(1);
    session.refresh.rotated_at = at;
    session.last_used_at = at;
    session.credential_epoch = epoch;
    Some(session.clone())
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn open_session(
        &self,
        session: &Session,
        grant: Option<&Grant>,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError> {
        self.write(|state| open(state, session, grant, events))
    }

    async fn standing(&self, claimed: &Claimed) -> Result<Standing, StoreError> {
        Ok(self.read(|state| {
            let person = state.stored(claimed.session).is_some_and(|stored| {
                stored.session.user == claimed.user
                    && stored.session.ended_at.is_none()
                    && !stored.owner.disabled
                    && stored.owner.epoch == claimed.user_epoch
            });
            let member = claimed.member.is_none_or(|(org, epoch)| {
                let place = state.place(org, claimed.user);
                let grant = state.grants.get(&(org, claimed.session));
                place.is_some_and(|place| place.epoch == epoch)
                    && grant.is_some_and(|grant| grant.ended_at.is_none())
            });
            if person && member {
                Standing::Stands
            } else {
                Standing::Fell
            }
        }))
    }

    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StoreError> {
        Ok(self.read(|state| state.stored(id)))
    }

    async fn renewal(&self, id: SessionId) -> Result<Option<Renewal>, StoreError> {
        Ok(self.read(|state| renewal(state, id)))
    }

    async fn accesses(&self, user: UserId, session: SessionId) -> Result<Vec<Access>, StoreError> {
        Ok(self.read(|state| accesses(state, user, session)))
    }

    async fn advance(&self, step: &Advance, event: &AuditEvent) -> Result<bool, StoreError> {
        let events = std::slice::from_ref(event);
        self.write(|state| {
            state.outbox.admit(events)?;
            let holds = may_advance(state, step);
            let session = state.sessions.get_mut(&step.session).filter(|_| holds);
            let Some(session) = session else {
                return Ok(false);
            };
            advance(session, step);
            state.outbox.record(events);
            Ok(true)
        })
    }

    async fn end_session(
        &self,
        what: &SessionEnd,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        self.write(|state| {
            state.outbox.admit(events)?;
            let session = state.sessions.get(&what.session);
            let live = session
                .is_some_and(|session| session.user == what.user && session.is_live(what.at));
            if !live {
                return Ok(None);
            }
            let entry = end(state, what.session, what);
            state.outbox.record(events);
            Ok(Some(entry))
        })
    }

    async fn end_other_sessions(
        &self,
        what: &SessionEnd,
        events: &[AuditEvent],
    ) -> Result<Vec<RevocationEntry>, StoreError> {
        self.write(|state| {
            state.outbox.admit(events)?;
            let others: Vec<SessionId> = state
                .sessions
                .values()
                .filter(|session| {
                    session.user == what.user
                        && session.id != what.session
                        && session.is_live(what.at)
                })
                .map(|session| session.id)
                .collect();
            let entries = others.into_iter().map(|id| end(state, id, what)).collect();
            state.outbox.record(events);
            Ok(entries)
        })
    }

    async fn sessions_of_user(
        &self,
        user: UserId,
        at: Timestamp,
        request: &PageRequest,
    ) -> Result<Page<SessionView>, StoreError> {
        Ok(self.read(|state| {
            let views = state
                .sessions
                .values()
                .filter(|session| session.user == user)
                .filter_map(|session| state.view(session.id, at, |session| session.created_at));
            page(views, request, |view| *view.id.as_bytes())
        }))
    }

    async fn grants_of_org(
        &self,
        org: &OrgCtx,
        at: Timestamp,
        request: &PageRequest,
    ) -> Result<Page<SessionView>, StoreError> {
        Ok(self.read(|state| {
            let views = state
                .grants
                .values()
                .filter(|grant| grant.org == org.org() && grant.ended_at.is_none())
                .filter_map(|grant| state.view(grant.session, at, |_| grant.created_at));
            page(views, request, |view| *view.id.as_bytes())
        }))
    }

    async fn open_grant(
        &self,
        grant: &Grant,
        events: &[AuditEvent],
    ) -> Result<GrantOutcome, StoreError> {
        self.write(|state| {
            if let Some(there) = state.grants.get(&(grant.org, grant.session)) {
                return Ok(match there.ended_at {
                    None => GrantOutcome::Existing,
                    Some(_) => GrantOutcome::Ended,
                });
            }
            state.may_grant(grant)?;
            let Some(session) = state.sessions.get(&grant.session) else {
                return Err(broken("a grant's session exists"));
            };
            let signed_out = state.signed_out.get(&grant.org);
            if signed_out.is_some_and(|until| session.created_at <= *until) {
                return Ok(GrantOutcome::Ended);
            }
            if !state.lets_in(grant.org, session.aal) {
                return Ok(GrantOutcome::FactorRequired);
            }
            state.outbox.admit(events)?;
            state.grants.insert((grant.org, grant.session), *grant);
            state.outbox.record(events);
            Ok(GrantOutcome::Opened)
        })
    }

    async fn end_grant(
        &self,
        org: &OrgCtx,
        session: SessionId,
        at: Timestamp,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        let org = org.org();
        self.write(|state| {
            state.outbox.admit(events)?;
            let ended = state
                .sessions
                .get(&session)
                .is_none_or(|session| session.ended_at.is_some());
            let grant = state
                .grants
                .get_mut(&(org, session))
                .filter(|grant| grant.ended_at.is_none() && !ended);
            let Some(grant) = grant else { return Ok(None) };
            grant.ended_at = Some(at);
            let entry = RevocationEntry {
                what: Revocation::Grant(session, org),
                expires_at: tokens_expire_at,
            };
            state.revocations.push(entry);
            state.outbox.record(events);
            Ok(Some(entry))
        })
    }
}
