//! Accounts.

use async_trait::async_trait;

use super::accesses::memberships;
use super::sessions::rekey_and_end_others;
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{Email, Membership, PasswordHash, Revocation, RevocationEntry, User, UserId};
use crate::ports::store::{Account, PasswordChange, PasswordOutcome, StoreError, UserStore};

#[async_trait]
impl UserStore for MemoryStore {
    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        Ok(self.read(|state| {
            let id = state.emails.get(email)?;
            state.users.get(id).cloned()
        }))
    }

    async fn account_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        Ok(self.read(|state| {
            let id = state.emails.get(email)?;
            Some(Account {
                user: state.users.get(id)?.clone(),
                factor: state.factor(*id),
            })
        }))
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.read(|state| state.users.get(&id).cloned()))
    }

    async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StoreError> {
        Ok(self.read(|state| memberships(state, user).collect()))
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
            let keep = change.keep.as_ref();
            let session = rekey_and_end_others(state, change.user, keep, change.at, epoch);
            let session = session.map(Box::new);
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
