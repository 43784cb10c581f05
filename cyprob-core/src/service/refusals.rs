//! Refusals of strangers, counted before they are recorded.
//!
//! One event per refusal would let a stranger buy disk syncs with failed
//! sign-ins. They are counted per kind and address prefix instead, in bounded
//! memory, and written as one event per counter when [`Refusals::drain`] is
//! called, every ten seconds and at an orderly stop. A crash loses at most that
//! much of them; it never loses a change.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::domain::Timestamp;

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKind {
    /// A sign-in.
    SignIn,
    /// A refresh token.
    Refresh,
    /// A bootstrap token.
    Bootstrap,
    /// An invitation's token.
    Invitation,
    /// An attempt that came too early, at whatever.
    SlowDown,
    /// A token that resets a password.
    PasswordReset,
    /// A token that confirms a new address, or objects to one.
    EmailChange,
    /// The second factor of a sign-in whose password was right.
    SecondFactor,
    /// A service account's key.
    ServiceKey,
}

impl RefusalKind {
    /// The reason in the trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "invalid_credentials",
            Self::Refresh => "invalid_grant",
            Self::Bootstrap => "invalid_bootstrap_token",
            Self::Invitation => "invalid_invitation",
            Self::SlowDown => "slow_down",
            Self::PasswordReset => "invalid_reset_token",
            Self::EmailChange => "invalid_email_token",
            Self::SecondFactor => "invalid_second_factor",
            Self::ServiceKey => "invalid_service_key",
        }
    }
}

/// How often a thing was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What.
    pub kind: RefusalKind,
    /// To which network: /24 or /56; none for callers without an address and for those beyond the bound.
    pub prefix: Option<IpAddr>,
    /// How often.
    pub count: u64,
    /// The first time.
    pub first: Timestamp,
}

/// Most networks that are counted apart between two drains.
const MAX_PREFIXES: usize = 4_096;

/// What is counted, for which network: how often, and since when.
type Counters = BTreeMap<(RefusalKind, Option<IpAddr>), (u64, Timestamp)>;

/// The counters.
#[derive(Debug, Default)]
pub struct Refusals {
    counters: Mutex<Counters>,
}

/// The network an address belongs to: /24 for IPv4, /56 for IPv6.
pub(super) fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) & !((1 << 72) - 1)).to_be_bytes()),
    }
}

impl Refusals {
    /// Counts one.
    pub fn count(&self, kind: RefusalKind, from: Option<IpAddr>, at: Timestamp) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (kind, from.map(prefix));
        if counters.len() >= MAX_PREFIXES && !counters.contains_key(&key) {
            key = (kind, None);
        }
        counters.entry(key).or_insert((0, at)).0 += 1;
    }

    /// Counts again what could not be recorded.
    pub(super) fn put_back(&self, refusal: Refusal) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = counters
            .entry((refusal.kind, refusal.prefix))
            .or_insert((0, refusal.first));
        counter.0 += refusal.count;
        counter.1 = counter.1.min(refusal.first);
    }

    /// Takes what was counted since the last time.
    pub fn drain(&self) -> Vec<Refusal> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *counters)
            .into_iter()
            .map(|((kind, prefix), (count, first))| Refusal {
                kind,
                prefix,
                count,
                first,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_counter_per_network_and_a_bound_on_networks() {
        let refusals = Refusals::default();
        let at = Timestamp::UNIX_EPOCH;
        for last in 0..=255_u8 {
            refusals.count(
                RefusalKind::SignIn,
                Some(IpAddr::from([10, 0, 0, last])),
                at,
            );
        }
        let drained = refusals.drain();
        assert_eq!(drained.len(), 1);
        assert_eq!(drained[0].count, 256);
        assert_eq!(drained[0].prefix, Some(IpAddr::from([10, 0, 0, 0])));

        for network in 0..100_000_u32 {
            let [_, a, b, c] = network.to_be_bytes();
            refusals.count(RefusalKind::SignIn, Some(IpAddr::from([a, b, c, 1])), at);
        }
        let drained = refusals.drain();
        assert!(drained.len() <= MAX_PREFIXES + 1);
        assert_eq!(
            drained.iter().map(|refusal| refusal.count).sum::<u64>(),
            100_000
        );
    }
}
