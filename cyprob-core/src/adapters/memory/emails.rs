//! Changes of addresses.

use async_trait::async_trait;

use super::state::State;
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Email, EmailChange, EmailChangeId, RevocationEntry, Timestamp, TokenDigest, UserId,
};
use crate::ports::store::{
    AskOutcome, EmailOutcome, EmailStep, EmailStore, NewEmailChange, StoreError,
};

/// A change and where it stands.
#[derive(Clone)]
pub(super) struct StoredChange {
    change: EmailChange,
    token: TokenDigest,
    made_at: Timestamp,
    /// Until when it is open to objection, once it was confirmed.
    object_until: Option<Timestamp>,
    objection: Option<TokenDigest>,
}

impl StoredChange {
    const fn is_open(&self) -> bool {
        self.object_until.is_none()
    }
}

fn open<'a>(state: &'a State, token: &TokenDigest, at: Timestamp) -> Option<&'a EmailChange> {
    let changes = state.email_changes.values();
    let stored = changes
        .filter(|stored| stored.is_open())
        .find(|stored| stored.token.matches(token))?;
    let user = state.users.get(&stored.change.user)?;
    let good = at < stored.change.expires_at
        && user.epoch == stored.change.epoch
        && user.disabled_at.is_none();
    good.then_some(&stored.change)
}

fn objectionable<'a>(
    state: &'a State,
    token: &TokenDigest,
    at: Timestamp,
) -> Option<&'a EmailChange> {
    let mut changes = state.email_changes.values();
    let stored = changes.find(|stored| stored.objection.is_some_and(|own| own.matches(token)))?;
    let user = state.users.get(&stored.change.user)?;
    let good = stored.object_until.is_some_and(|until| at < until) && user.disabled_at.is_none();
    good.then_some(&stored.change)
}

/// Whether another account has the address, or may still object that it was taken away.
pub(super) fn is_taken(state: &State, email: &Email, by: UserId, at: Timestamp) -> bool {
    let reserved = |stored: &StoredChange| {
        stored.change.from == *email
            && stored.change.user != by
            && stored.object_until.is_some_and(|until| at < until)
    };
    state.emails.get(email).is_some_and(|owner| *owner != by)
        || state.email_changes.values().any(reserved)
}

/// Gives the account the address and says that it is verified.
fn readdress(state: &mut State, user: UserId, email: &Email) {
    if let Some(stored) = state.users.get_mut(&user) {
        let before = std::mem::replace(&mut stored.email, email.clone());
        stored.email_verified = true;
        state.emails.remove(&before);
        state.emails.insert(email.clone(), user);
    }
}

fn changed(entry: Option<RevocationEntry>) -> EmailOutcome {
    entry.map_or(EmailOutcome::Gone, EmailOutcome::Changed)
}

#[async_trait]
impl EmailStore for MemoryStore {
    async fn ask_email(
        &self,
        ask: &NewEmailChange,
        events: &[AuditEvent],
    ) -> Result<AskOutcome, StoreError> {
        let change = &ask.change;
        self.write(|state| {
            let holds = state.users.get(&change.user).is_some_and(|user| {
                user.epoch == change.epoch
                    && user.disabled_at.is_none()
                    && user.email == change.from
            });
            if !holds {
                return Ok(AskOutcome::Raced);
            }
            let own = |stored: &StoredChange| stored.is_open() && stored.change.user == change.user;
            let young = |stored: &StoredChange| own(stored) && stored.made_at > ask.quiet_since;
            if state.email_changes.values().any(young) {
                return Ok(AskOutcome::TooSoon);
            }
            state.outbox.admit(events)?;
            state.email_changes.retain(|_, stored| !own(stored));
            let stored = StoredChange {
                change: change.clone(),
                token: ask.token,
                made_at: ask.at,
                object_until: None,
                objection: None,
            };
            state.email_changes.insert(change.id, stored);
            state.outbox.record(events);
            Ok(AskOutcome::Asked)
        })
    }

    async fn email_change(
        &self,
        token: &TokenDigest,
        at: Timestamp,
    ) -> Result<Option<EmailChange>, StoreError> {
        Ok(self.read(|state| open(state, token, at).cloned()))
    }

    async fn confirm_email(
        &self,
        step: &EmailStep,
        object_until: Timestamp,
        events: &[AuditEvent],
    ) -> Result<EmailOutcome, StoreError> {
        self.write(|state| {
            let found = open(state, &step.token, step.at).cloned();
            let Some(change) = found.filter(|change| change.id == step.change) else {
                return Ok(EmailOutcome::Gone);
            };
            if is_taken(state, &change.to, change.user, step.at) {
                return Ok(EmailOutcome::Taken);
            }
            state.outbox.admit(events)?;
            // An address that nobody ever verified is nobody's to object from.
            let user = state.users.get(&change.user);
            let verified = user.is_some_and(|user| user.email_verified);
            let object_until = if verified { object_until } else { step.at };
            readdress(state, change.user, &change.to);
            let outcome = if change.only_verifies() {
                state.email_changes.remove(&change.id);
                EmailOutcome::Verified
            } else {
                if let Some(stored) = state.email_changes.get_mut(&change.id) {
                    stored.object_until = Some(object_until);
                }
                changed(state.end_epoch(change.user, step.at, step.tokens_expire_at))
            };
            state.outbox.record(events);
            Ok(outcome)
        })
    }

    async fn arm_objection(
        &self,
        change: EmailChangeId,
        token: TokenDigest,
        at: Timestamp,
    ) -> Result<Option<(EmailChange, Timestamp)>, StoreError> {
        Ok(self.write(|state| {
            let stored = state.email_changes.get_mut(&change)?;
            let until = stored.object_until.filter(|until| at < *until)?;
            stored.objection = Some(token);
            Some((stored.change.clone(), until))
        }))
    }

    async fn email_objection(
        &self,
        token: &TokenDigest,
        at: Timestamp,
    ) -> Result<Option<EmailChange>, StoreError> {
        Ok(self.read(|state| objectionable(state, token, at).cloned()))
    }

    async fn object_to_email(
        &self,
        step: &EmailStep,
        events: &[AuditEvent],
    ) -> Result<EmailOutcome, StoreError> {
        self.write(|state| {
            let found = objectionable(state, &step.token, step.at).cloned();
            let Some(change) = found.filter(|change| change.id == step.change) else {
                return Ok(EmailOutcome::Gone);
            };
            if is_taken(state, &change.from, change.user, step.at) {
                return Ok(EmailOutcome::Taken);
            }
            state.outbox.admit(events)?;
            readdress(state, change.user, &change.from);
            if let Some(user) = state.users.get_mut(&change.user) {
                user.password = None;
            }
            state.email_changes.retain(|_, stored| {
                stored.change.user != change.user || stored.change.epoch < change.epoch
            });
            let outcome = changed(state.end_epoch(change.user, step.at, step.tokens_expire_at));
            state.outbox.record(events);
            Ok(outcome)
        })
    }

    async fn sweep_email_changes(&self, at: Timestamp) -> Result<u64, StoreError> {
        Ok(self.write(|state| {
            let before = state.email_changes.len();
            state
                .email_changes
                .retain(|_, stored| at < stored.object_until.unwrap_or(stored.change.expires_at));
            let swept = before.saturating_sub(state.email_changes.len());
            u64::try_from(swept).unwrap_or(u64::MAX)
        }))
    }
}
