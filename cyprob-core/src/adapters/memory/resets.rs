//! Tokens that reset passwords.

use async_trait::async_trait;

use super::state::State;
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{Epoch, RevocationEntry, Timestamp, TokenDigest, User, UserId};
use crate::ports::store::{NewReset, Reset, ResetStore, StoreError};

/// One of a person's tokens.
#[derive(Clone, Copy)]
pub(super) struct ArmedReset {
    user: UserId,
    token: TokenDigest,
    epoch: Epoch,
    made_at: Timestamp,
    expires_at: Timestamp,
}

/// The account whose password the token resets now.
fn owner<'a>(state: &'a State, token: &TokenDigest, at: Timestamp) -> Option<&'a User> {
    let mut all = state.resets.iter();
    let armed = all.find(|armed| armed.token.matches(token))?;
    let user = state.users.get(&armed.user)?;
    let good = at < armed.expires_at && user.epoch == armed.epoch && user.disabled_at.is_none();
    good.then_some(user)
}

#[async_trait]
impl ResetStore for MemoryStore {
    async fn arm_reset(&self, reset: &NewReset, events: &[AuditEvent]) -> Result<bool, StoreError> {
        self.write(|state| {
            let takes = state.users.get(&reset.user).is_some_and(|user| {
                user.email_verified && user.disabled_at.is_none() && user.epoch == reset.epoch
            });
            let mut theirs = state.resets.iter().filter(|it| it.user == reset.user);
            if !takes || theirs.any(|last| last.made_at > reset.quiet_since) {
                return Ok(false);
            }
            state.outbox.admit(events)?;
            let dead = |it: &ArmedReset| it.user == reset.user && it.expires_at <= reset.at;
            state.resets.retain(|it| !dead(it));
            let armed = ArmedReset {
                user: reset.user,
                token: reset.token,
                epoch: reset.epoch,
                made_at: reset.at,
                expires_at: reset.expires_at,
            };
            state.resets.push(armed);
            state.outbox.record(events);
            Ok(true)
        })
    }

    async fn user_by_reset(
        &self,
        token: &TokenDigest,
        at: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        Ok(self.read(|state| owner(state, token, at).cloned()))
    }

    async fn reset_password(
        &self,
        reset: &Reset,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        self.write(|state| {
            let found: Option<UserId> = owner(state, &reset.token, reset.at).map(|user| user.id);
            if found != Some(reset.user) {
                return Ok(None);
            }
            state.outbox.admit(events)?;
            state.resets.retain(|it| it.user != reset.user);
            if let Some(user) = state.users.get_mut(&reset.user) {
                user.password = Some(reset.password.clone());
            }
            let entry = state.end_epoch(reset.user, reset.at, reset.tokens_expire_at);
            state.outbox.record(events);
            Ok(entry)
        })
    }
}
