//! One attempt at a secret of somebody.

use secrecy::SecretString;

use super::{SlowDown, Throttle, Visit};
use crate::domain::{
    Caller, Device, DeviceId, FailureKey, FailureKind, Gate, SessionId, SignInName, Subject,
    Timestamp, User, UserId,
};
use crate::ports::EntropyExt;
use crate::ports::store::StoreError;
use crate::service::Identity;

/// How often a counter is read again that gave way before it was used.
const MAX_READS: usize = 4;
/// When to come back if there is no place for a counter.
const NO_PLACE: std::time::Duration = std::time::Duration::from_secs(1);

/// Why an attempt does not begin.
#[derive(Debug)]
pub(in crate::service) enum AttemptError {
    /// It comes too early.
    SlowDown(SlowDown),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for AttemptError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SlowDown> for AttemptError {
    fn from(slow_down: SlowDown) -> Self {
        Self::SlowDown(slow_down)
    }
}

/// An attempt that may be made; end it with [`failed`](Self::failed) or [`Identity::passed`].
///
/// One that is dropped counts for nothing at the account, and has its place at the gate used up.
#[must_use]
#[derive(Debug)]
pub(in crate::service) struct Attempt<'a> {
    throttle: &'a Throttle,
    counter: FailureKey,
    account: Option<Subject>,
    device: Option<Device>,
    visit: Option<Visit<'a>>,
    ended: bool,
}

impl Attempt<'_> {
    /// The recognised client that makes it.
    pub(in crate::service) const fn device(&self) -> Option<&Device> {
        self.device.as_ref()
    }

    /// What was shown is wrong.
    pub(in crate::service) fn failed(mut self, user: Option<UserId>, at: Timestamp) {
        self.ended = true;
        let stranger = self.device.is_none();
        let user = user.filter(|_| stranger);
        self.throttle.counters.fail(&self.counter, user, at);
        if let Some(account) = self.account.filter(|_| stranger) {
            self.throttle.stuffing.count(&account, at);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.throttle.counters.leave(&self.counter);
        }
    }
}

impl Identity {
    /// The client that a device token says is recognised under a name; a counter may yet say otherwise.
    pub(in crate::service) fn device(
        &self,
        token: Option<&SecretString>,
        name: &SignInName,
        at: Timestamp,
    ) -> Option<Device> {
        let Throttle { keys, devices, .. } = &self.throttle;
        keys.recognise(token?, name, devices.lifetime(), at)
    }

    /// Begins an attempt at a secret of an account, whether there is such an account or not.
    ///
    /// A recognised client whose own counter allows it begins at once; everybody
    /// else passes the gate, then waits for the account.
    pub(in crate::service) async fn attempt(
        &self,
        kind: FailureKind,
        name: &SignInName,
        device: Option<Device>,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Attempt<'_>, AttemptError> {
        let account = Subject::account(&self.throttle.keys, name);
        if let Some(device) = device {
            let subject = Subject::device(&self.throttle.keys, &device.id);
            let counter = FailureKey { subject, kind };
            if self
                .enter(&counter, Limit::Device, caller, at)
                .await
                .is_ok()
            {
                return Ok(Attempt {
                    throttle: &self.throttle,
                    counter,
                    account: Some(account),
                    device: Some(device),
                    visit: None,
                    ended: false,
                });
            }
        }
        let visit = self.visit(Gate::SignIn, caller, at)?;
        let counter = FailureKey {
            subject: account,
            kind,
        };
        self.enter(&counter, Limit::Account, caller, at).await?;
        Ok(Attempt {
            throttle: &self.throttle,
            counter,
            account: Some(account),
            device: None,
            visit: Some(visit),
            ended: false,
        })
    }

    /// The same attempt once the account is known: a device of an earlier credential, or of another account, is none.
    pub(in crate::service) async fn attempt_at<'a>(
        &'a self,
        user: Option<&User>,
        attempt: Attempt<'a>,
        name: &SignInName,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Attempt<'a>, AttemptError> {
        let Some(device) = attempt.device() else {
            return Ok(attempt);
        };
        if user.is_some_and(|user| device.is_of(user)) {
            return Ok(attempt);
        }
        let kind = attempt.counter.kind;
        drop(attempt);
        self.attempt(kind, name, None, caller, at).await
    }

    /// Begins an attempt at a secret by one who acts in a session of their own.
    ///
    /// The session has the steps of an account to itself: whoever stole it
    /// guesses no faster, and delays nobody else.
    pub(in crate::service) async fn attempt_in(
        &self,
        session: SessionId,
        kind: FailureKind,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Attempt<'_>, AttemptError> {
        let subject = Subject::session(&self.throttle.keys, session);
        let counter = FailureKey { subject, kind };
        self.enter(&counter, Limit::Account, caller, at).await?;
        Ok(Attempt {
            throttle: &self.throttle,
            counter,
            account: None,
            device: None,
            visit: None,
            ended: false,
        })
    }

    /// What was shown is right: sets this kind's counters to nought.
    ///
    /// A recognised client that succeeds lifts what strangers brought about at the account.
    pub(in crate::service) async fn passed(
        &self,
        mut attempt: Attempt<'_>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if let (Some(account), Some(_)) = (attempt.account, attempt.device) {
            let counter = FailureKey {
                subject: account,
                kind: attempt.counter.kind,
            };
            self.clear(&counter, at).await?;
        }
        attempt.ended = true;
        self.throttle.counters.succeed(&attempt.counter);
        if let Some(visit) = attempt.visit.take() {
            visit.good();
        }
        Ok(())
    }

    /// Sets the failed passwords of an account to nought, since a new one was set by other proof than the old.
    pub(in crate::service) async fn forgive(
        &self,
        name: &SignInName,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let counter = FailureKey {
            subject: Subject::account(&self.throttle.keys, name),
            kind: FailureKind::Password,
        };
        self.clear(&counter, at).await
    }

    /// The device token of a client that has signed in: the one it had lives on under a new date.
    pub(in crate::service) fn device_token(
        &self,
        user: &User,
        known: Option<DeviceId>,
        at: Timestamp,
    ) -> SecretString {
        let fresh = || DeviceId::from_bytes(self.parts.entropy.bytes());
        let device = Device {
            id: known.unwrap_or_else(fresh),
            user: user.id,
            epoch: user.epoch,
            expires_at: at.after(self.throttle.devices.lifetime()),
        };
        let name = SignInName::from(&user.email);
        self.throttle.keys.mint(&device, &name)
    }

    async fn clear(&self, counter: &FailureKey, at: Timestamp) -> Result<(), StoreError> {
        let counters = &self.throttle.counters;
        if counters.failures(counter, at).is_none() {
            let stored = self.store().failures(counter).await?;
            if counters.read(*counter, stored, at).is_err() {
                return self
                    .store()
                    .clear_failures(&[*counter], &[])
                    .await
                    .map(drop);
            }
        }
        counters.clear(counter);
        Ok(())
    }

    /// Begins an attempt at a counter, read from the store at need.
    async fn enter(
        &self,
        counter: &FailureKey,
        limit: Limit,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<(), AttemptError> {
        let Throttle {
            counters,
            policy,
            devices,
            ..
        } = &self.throttle;
        for _ in 0..MAX_READS {
            let judged = counters.enter(counter, at, |failures, under_way| match limit {
                Limit::Account => policy.wait(failures, under_way, at),
                Limit::Device => {
                    let tried = failures.count.saturating_add(under_way);
                    if tried < devices.failures() {
                        std::time::Duration::ZERO
                    } else {
                        NO_PLACE
                    }
                }
            });
            match judged {
                Some(Ok(())) => return Ok(()),
                Some(Err(wait)) => return Err(self.slow_down(caller, wait, at).into()),
                None => {}
            }
            let stored = self.store().failures(counter).await?;
            if counters.read(*counter, stored, at).is_err() {
                break;
            }
        }
        Err(self.slow_down(caller, NO_PLACE, at).into())
    }
}

/// How a counter is judged.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// By steps, then switched off.
    Account,
    /// Not at all, until its token counts as none.
    Device,
}
