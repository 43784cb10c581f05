//! What was counted goes to the store, and what is worth knowing to the trail.

use super::stuffing::Stuffing;
use crate::domain::audit::{Action, Actor, AuditEvent, MetaValue, Outcome, Resource};
use crate::domain::{
    Caller, DeploymentCtx, FailureChange, FailureKey, FailureKind, Failures, SignInName, Subject,
    SurgeTurn, Timestamp, UserId,
};
use crate::ports::store::StoreError;
use crate::service::Identity;

/// Counters of failures that nobody added to for so long are forgotten, if strangers are not refused for them.
const QUIET: std::time::Duration = std::time::Duration::from_secs(30 * 86_400);
/// Most counters in the store; beyond it those with the fewest failures go.
const MOST_STORED: u32 = 200_000;

/// Why password sign-in was not switched on again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchOnError {
    /// There is no such account.
    #[error("no such account")]
    NotFound,
    /// The store failed.
    #[error("the counters could not be stored")]
    Store(#[from] StoreError),
}

impl Identity {
    /// Tells the store what was counted, and records what it amounts to; call it every [`FLUSH_EVERY`](crate::domain::ThrottlingPolicy::FLUSH_EVERY) and at the end.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be stored; it is told again the next time.
    pub async fn flush_failures(&self) -> Result<(), StoreError> {
        let at = self.now();
        let counted = self.flush_counters(at).await;
        counted.and(self.record_surges(at).await)
    }

    async fn flush_counters(&self, at: Timestamp) -> Result<(), StoreError> {
        let bound = self.throttle.policy.switch_off_after();
        let counters = &self.throttle.counters;
        let drained = counters.drain(at);
        if drained.is_empty() {
            return Ok(());
        }
        let with_event = |(mut change, all): (FailureChange, Failures)| {
            // Other nodes may know of more, so the event goes along before the bound is seen here.
            if let Some(user) = change.user
                && all.count >= bound / 2
            {
                change.at_bound = Some(self.switched_off(user, &change));
            }
            change
        };
        let changes: Vec<_> = drained.into_iter().map(with_event).collect();
        let stored = self.store().add_failures(&changes, bound).await;
        match &stored {
            Ok(()) => counters.told(&changes),
            Err(_) => counters.put_back(&changes),
        }
        stored
    }

    fn switched_off(&self, user: UserId, change: &FailureChange) -> AuditEvent {
        let caller = Caller {
            actor: Actor::Anonymous,
            ..Caller::system("throttle")
        };
        let on = Resource::new("user", user);
        let reason = change.key.kind.as_str();
        self.event(change.last, &caller, Action::SignInSwitchedOff, on)
            .with_outcome(Outcome::Denied, reason)
    }

    async fn record_surges(&self, at: Timestamp) -> Result<(), StoreError> {
        let stuffing: &Stuffing = &self.throttle.stuffing;
        let turns = stuffing.turns(at);
        if turns.is_empty() {
            return Ok(());
        }
        let events: Vec<_> = turns
            .iter()
            .map(|(at, turn)| self.surge(*at, turn))
            .collect();
        let recorded = self.store().record(&events).await;
        if recorded.is_err() {
            stuffing.put_back(turns);
        }
        recorded
    }

    fn surge(&self, at: Timestamp, turn: &SurgeTurn) -> AuditEvent {
        let (action, names, usual, failures) = match turn {
            SurgeTurn::Began {
                names,
                usual,
                failures,
            } => (Action::SignInSurgeBegan, *names, *usual, *failures),
            SurgeTurn::Ended {
                names,
                usual,
                failures,
                ..
            } => (Action::SignInSurgeEnded, *names, *usual, *failures),
        };
        let caller = Caller::system("throttle");
        let failures = i64::try_from(failures).unwrap_or(i64::MAX);
        let event = self
            .event(at, &caller, action, Resource::new("sign_in", ""))
            .with("names_per_minute", MetaValue::count(names.into()))
            .with("usual_per_minute", MetaValue::count(usual.into()))
            .with("failures", MetaValue::count(failures));
        match turn {
            SurgeTurn::Ended { began, .. } => event.with("began", MetaValue::public(began)),
            SurgeTurn::Began { .. } => event,
        }
    }

    /// Forgets stored counters that mean nothing any more; returns how many.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sweep_failures(&self) -> Result<u64, StoreError> {
        let quiet_since = self.now().before(QUIET);
        let bound = self.throttle.policy.switch_off_after();
        let store = self.store();
        store.sweep_failures(quiet_since, bound, MOST_STORED).await
    }

    /// Sets an account's failures to nought, so that strangers may sign in to it again; `false` if there were none.
    ///
    /// # Errors
    ///
    /// [`SwitchOnError`]; nothing was changed.
    #[tracing::instrument(name = "core.user.switch_on", skip_all, fields(user.id = %user))]
    pub async fn switch_sign_in_on(
        &self,
        by: &DeploymentCtx,
        user: UserId,
    ) -> Result<bool, SwitchOnError> {
        let at = self.now();
        let account = self.store().user(user).await?;
        let account = account.ok_or(SwitchOnError::NotFound)?;
        let name = SignInName::from(&account.email);
        let subject = Subject::account(&self.throttle.keys, &name);
        let counters = FailureKind::ALL.map(|kind| FailureKey { subject, kind });
        // What was counted and not told yet would come back.
        self.flush_counters(at).await?;
        let on = Resource::new("user", user);
        let event = self.event(at, by.caller(), Action::SignInSwitchedOn, on);
        let cleared = self.store().clear_failures(&counters, &[event]).await?;
        for counter in &counters {
            self.throttle.counters.forget(counter, at);
        }
        Ok(cleared)
    }
}
