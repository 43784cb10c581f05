//! Accounts under the deployment's administration.

use async_trait::async_trait;

use super::state::{State, page};
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Page, PageRequest, Revocation, RevocationEntry, SessionId, Timestamp, User, UserId, Whose,
};
use crate::ports::store::{
    AccountStore, ClientSeen, DisableOutcome, EnableOutcome, MassEnd, MassEnded, StoreError,
};

/// The sessions that end.
fn ending(state: &State, end: &MassEnd) -> Vec<SessionId> {
    let granted = |session: SessionId| match end.whose {
        Whose::Org(org) => state
            .grants
            .get(&(org, session))
            .is_some_and(|grant| grant.ended_at.is_none()),
        Whose::Everyone | Whose::User(_) => true,
    };
    state
        .sessions
        .values()
        .filter(|session| session.ended_at.is_none() && Some(session.id) != end.keep)
        .filter(|session| !matches!(end.whose, Whose::User(user) if user != session.user))
        .filter(|session| granted(session.id))
        .map(|session| session.id)
        .collect()
}

fn is_there(state: &State, whose: Whose) -> bool {
    match whose {
        Whose::Everyone => true,
        Whose::User(user) => state.users.contains_key(&user),
        Whose::Org(org) => state.orgs.contains_key(&org),
    }
}

#[async_trait]
impl AccountStore for MemoryStore {
    async fn users(&self, request: &PageRequest) -> Result<Page<User>, StoreError> {
        Ok(self.read(|state| {
            let users = state.users.values().cloned();
            page(users, request, |user| *user.id.as_bytes())
        }))
    }

    async fn disable_user(
        &self,
        user: UserId,
        at: Timestamp,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<DisableOutcome, StoreError> {
        self.write(|state| {
            let Some(stored) = state.users.get(&user) else {
                return Ok(DisableOutcome::NotFound);
            };
            if stored.disabled_at.is_some() {
                return Ok(DisableOutcome::Unchanged);
            }
            let others = state.users.values().any(|other| {
                other.id != user && other.administrator && other.disabled_at.is_none()
            });
            if stored.administrator && !others {
                return Ok(DisableOutcome::LastAdministrator);
            }
            state.outbox.admit(events)?;
            if let Some(stored) = state.users.get_mut(&user) {
                stored.disabled_at = Some(at);
            }
            let entry = state.end_epoch(user, at, tokens_expire_at);
            state.outbox.record(events);
            Ok(entry.map_or(DisableOutcome::NotFound, DisableOutcome::Disabled))
        })
    }

    async fn enable_user(
        &self,
        user: UserId,
        events: &[AuditEvent],
    ) -> Result<EnableOutcome, StoreError> {
        self.write(|state| {
            let off = match state.users.get(&user) {
                Some(stored) => stored.disabled_at.is_some(),
                None => return Ok(EnableOutcome::NotFound),
            };
            if !off {
                return Ok(EnableOutcome::Unchanged);
            }
            state.outbox.admit(events)?;
            if let Some(stored) = state.users.get_mut(&user) {
                stored.disabled_at = None;
            }
            state.outbox.record(events);
            Ok(EnableOutcome::Enabled)
        })
    }

    async fn end_many(
        &self,
        end: &MassEnd,
        events: &[AuditEvent],
    ) -> Result<Option<MassEnded>, StoreError> {
        self.write(|state| {
            if !is_there(state, end.whose) {
                return Ok(None);
            }
            state.outbox.admit(events)?;
            let sessions = ending(state, end);
            let mut until = end.at;
            for id in &sessions {
                let Some(session) = state.sessions.get_mut(id) else {
                    continue;
                };
                until = until.max(session.created_at);
                if let Whose::Org(org) = end.whose {
                    if let Some(grant) = state.grants.get_mut(&(org, *id)) {
                        grant.ended_at = Some(end.at);
                    }
                } else {
                    session.ended_at = Some(end.at);
                }
            }
            if let Whose::Org(org) = end.whose {
                state.signed_out.insert(org, until);
            }
            let entry = RevocationEntry {
                what: Revocation::Opened(end.whose, until, end.keep),
                expires_at: end.tokens_expire_at,
            };
            state.revocations.push(entry);
            state.outbox.record(events);
            let ended = u64::try_from(sessions.len()).unwrap_or(u64::MAX);
            Ok(Some(MassEnded { ended, entry }))
        })
    }

    async fn clients_of_user(
        &self,
        user: UserId,
        limit: u8,
    ) -> Result<Vec<ClientSeen>, StoreError> {
        Ok(self.read(|state| {
            let own = state.sessions.values().rev();
            own.filter(|session| session.user == user)
                .take(limit.into())
                .map(|session| ClientSeen {
                    client: session.client.clone(),
                    ip_address: session.ip_address,
                })
                .collect()
        }))
    }
}
