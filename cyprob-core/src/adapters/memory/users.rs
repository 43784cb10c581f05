//! Accounts.

use async_trait::async_trait;

use super::state::State;
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Email, Epoch, Membership, PasswordHash, Revocation, RevocationEntry, Session, User, UserId,
};
use crate::ports::store::{PasswordChange, PasswordOutcome, StoreError, UserStore};

/// Re-keys the session that goes on and ends the others.
fn rekey_and_end_others(
    state: &mut State,
    change: &PasswordChange,
    epoch: Epoch,
) -> Option<Session> {
    let kept = change.keep.as_ref().map(|(session, ..)| *session);
    for session in state.sessions.values_mut() {
        if session.user == change.user && Some(session.id) != kept {
            session.ended_at = session.ended_at.or(Some(change.at));
        }
    }
    let (session, seed, key) = change.keep.as_ref()?;
    let session = state
        .sessions
        .get_mut(session)
        .filter(|session| session.user == change.user && session.is_live(change.at))?;
    session.seed = seed.clone();
    session.refresh.key = *key;
    session.refresh.previous_key = None;
    session.refresh.generation = session.refresh.generation.saturating_add(1);
    session.refresh.rotated_at = change.at;
    session.last_used_at = change.at;
    session.credential_epoch = epoch;
    Some(session.clone())
}

#[async_trait]
impl UserStore for MemoryStore {
    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        Ok(self.read(|state| {
            let id = state.emails.get(email)?;
            state.users.get(id).cloned()
        }))
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.read(|state| state.users.get(&id).cloned()))
    }

    async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StoreError> {
        Ok(self.read(|state| {
            let slugs = state.slugs.iter();
            slugs
                .filter_map(|(slug, org)| {
                    let place = state.place(*org, user)?;
                    Some(Membership {
                        org: *org,
                        slug: slug.clone(),
                        role: place.role.clone(),
                        epoch: place.epoch,
                    })
                })
                .collect()
        }))
    }

    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        self.write(|state| {
            let stored = state
                .users
                .get_mut(&user)
                .and_then(|user| user.password.as_mut())
                .filter(|stored| stored.expose_phc() == old.expose_phc());
            if let Some(stored) = stored {
                *stored = new.clone();
            }
        });
        Ok(())
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
        events: &[AuditEvent],
    ) -> Result<PasswordOutcome, StoreError> {
        self.write(|state| {
            state.outbox.admit(events)?;
            let user = state
                .users
                .get_mut(&change.user)
                .filter(|user| user.epoch == change.expected_epoch && user.disabled_at.is_none());
            let Some(user) = user else {
                return Ok(PasswordOutcome::Raced);
            };
            let epoch = change.expected_epoch.next();
            user.password = Some(change.password.clone());
            user.epoch = epoch;
            let session = rekey_and_end_others(state, change, epoch).map(Box::new);
            let entry = RevocationEntry {
                what: Revocation::User(change.user, epoch),
                expires_at: change.tokens_expire_at,
            };
            state.revocations.push(entry);
            state.outbox.record(events);
            Ok(PasswordOutcome::Changed {
                session,
                revoked: vec![entry],
            })
        })
    }
}
