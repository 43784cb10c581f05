//! ThrottlingPolicy without a lockout attack.
//!
//! A stranger is who shows no device token of an earlier sign-in under the same
//! name. Strangers pass a limiter by network before anything is read or hashed,
//! and wait after each failure at an account. Who is recognised passes both,
//! with a counter of the device's own, so no input of a stranger keeps them out.
//! Nothing waits on the server: who comes too early is told how long to wait.
//!
//! Memory is fixed from the start, see [`Throttle::bytes`]. Buckets are each
//! node's own: a deployment of N nodes admits N times their rate. Counters are
//! shared through the store within twice [`ThrottlingPolicy::FLUSH_EVERY`]; until then
//! N nodes together allow an account at most N attempts where one would allow one.

mod attempt;
mod counters;
mod flush;
mod gates;
mod recent;
mod stuffing;
mod table;
#[cfg(all(test, feature = "testkit"))]
mod tests;

use std::time::Duration;

use secrecy::SecretString;

use self::counters::Counters;
use self::gates::{Gates, Taken};
use self::recent::Recent;
use self::stuffing::Stuffing;
use super::Identity;
use super::refusals::RefusalKind;
use crate::domain::{
    AccountPolicy, Caller, DeviceKeys, DevicePolicy, Gate, ThrottlingPolicy, Timestamp,
};

pub(super) use self::attempt::{Attempt, AttemptError};
pub use self::flush::SwitchOnError;

/// Too many attempts. Nothing was checked, and the answer says nothing of whether the account exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct SlowDown {
    /// How long to wait before the next attempt.
    pub retry_after: Duration,
}

/// What is known of those who try: buckets of networks, counters of failures, what was given out.
#[derive(Debug)]
pub struct Throttle {
    policy: ThrottlingPolicy,
    devices: DevicePolicy,
    keys: DeviceKeys,
    gates: Gates,
    counters: Counters,
    recent: Recent,
    stuffing: Stuffing,
}

impl Throttle {
    pub(super) fn new(policy: &AccountPolicy, keys: DeviceKeys) -> Self {
        let AccountPolicy {
            throttling: policy,
            devices,
            ..
        } = policy;
        Self {
            gates: Gates::new(policy),
            counters: Counters::default(),
            recent: Recent::default(),
            stuffing: Stuffing::new(policy),
            policy: *policy,
            devices: *devices,
            keys,
        }
    }

    /// The memory that it has, from the beginning to the end, in bytes; some 7 MB.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.gates.bytes() + Counters::bytes() + self.recent.bytes() + self.stuffing.bytes()
    }

    /// Forgets a refresh token that is not good any more.
    pub(super) fn refused(&self, token: &SecretString) {
        self.recent.forget(token);
    }

    /// Remembers a refresh token that was given out.
    pub(super) fn gave_out(&self, token: &SecretString) {
        self.recent.remember(token);
    }
}

/// One who was let in at a gate and took a place in its buckets.
#[must_use]
#[derive(Debug)]
pub(super) struct Visit<'a> {
    throttle: &'a Throttle,
    taken: Option<Taken>,
}

impl Visit<'_> {
    /// What was shown is good: the visit counts for nothing.
    pub(super) fn good(self) {
        if let Some(taken) = self.taken {
            self.throttle.gates.give_back(taken);
        }
    }
}

impl Identity {
    /// Counters, buckets and their figures.
    #[must_use]
    pub const fn throttle(&self) -> &Throttle {
        &self.throttle
    }

    /// Lets a caller in at a gate, before anything is read or hashed.
    ///
    /// Call [`Visit::good`] when what was shown turns out to be good.
    pub(super) fn visit(
        &self,
        gate: Gate,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Visit<'_>, SlowDown> {
        let throttle = &self.throttle;
        match throttle.gates.take(gate, caller.origin.ip_address, at) {
            Ok(taken) => Ok(Visit {
                throttle,
                taken: Some(taken),
            }),
            Err(wait) => Err(self.slow_down(caller, wait, at)),
        }
    }

    /// Lets in who shows a refresh token; one that was given out here a short while ago passes by.
    pub(super) fn visit_with_token(
        &self,
        token: &SecretString,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Visit<'_>, SlowDown> {
        if self.throttle.recent.knows(token) {
            return Ok(Visit {
                throttle: &self.throttle,
                taken: None,
            });
        }
        self.visit(Gate::Refresh, caller, at)
    }

    /// Counts one who is told to wait.
    fn slow_down(&self, caller: &Caller, wait: Duration, at: Timestamp) -> SlowDown {
        let from = caller.origin.ip_address;
        self.refusals().count(RefusalKind::SlowDown, from, at);
        SlowDown { retry_after: wait }
    }
}
