//! Stand-ins for what a service takes from outside.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::domain::{BreachDigest, PermissionNames, Reach, RevocationEntry, RoleName, Timestamp};
use crate::ports::{BreachList, BreachListError, Clock, Entropy, RevocationFeed, RoleRules};

/// A clock that moves when it is told to.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at a time.
    #[must_use]
    pub const fn new(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.as_micros()))
    }

    /// Moves it to a time, back too.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_micros(), Ordering::SeqCst);
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().after(by));
    }
}

impl Default for ManualClock {
    /// A clock that stands at 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::new(Timestamp::from_seconds(1_767_225_600))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Bytes that look random and are the same for the same seed: SHA-256 of seed and counter.
pub struct SeededEntropy {
    seed: u64,
    counter: AtomicU64,
}

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeededEntropy({})", self.seed)
    }
}

impl SeededEntropy {
    /// The stream of a seed, from its beginning.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let number = self.counter.fetch_add(1, Ordering::SeqCst);
            let block = Sha256::new()
                .chain_update(self.seed.to_be_bytes())
                .chain_update(number.to_be_bytes())
                .finalize();
            for (to, from) in chunk.iter_mut().zip(block) {
                *to = from;
            }
        }
    }
}

/// The built-in roles in one line: each permits one thing more than the one after it; the first two manage members.
///
/// The things are [`FixedRoles::PERMISSIONS`], from what everyone may to what only an owner may.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedRoles;

impl FixedRoles {
    /// The catalogue: the viewer may the first, the auditor the first two, and so on; the administrator's one manages members.
    pub const PERMISSIONS: [&'static str; 6] = [
        "runs:read",
        "audit:read",
        "runs:create",
        "plugins:write",
        "members:write",
        "org:write",
    ];
    const MANAGES: Reach = Reach::new(1 << 4);

    /// A role of the deployment that permits the first permission, and the second and managing members under a condition.
    pub const CONDITIONAL: &'static str = "desk";
}

impl RoleRules for FixedRoles {
    fn of_deployment(&self, role: &RoleName) -> Option<Reach> {
        if role.as_str() == Self::CONDITIONAL {
            return Some(Reach::within(0b1, 0b1_0011));
        }
        let above = RoleName::BUILTIN.iter().position(|ranked| ranked == role)?;
        let held = Self::PERMISSIONS.len().saturating_sub(above);
        Some(Reach::new((1 << held) - 1))
    }

    fn reach(&self, permissions: &PermissionNames) -> Option<Reach> {
        let mut bits = 0;
        for name in permissions.iter() {
            bits |= 1 << Self::PERMISSIONS.iter().position(|known| *known == name)?;
        }
        Some(Reach::new(bits))
    }

    fn manages_members(&self, reach: Reach) -> bool {
        reach.is_superset(Self::MANAGES)
    }
}

/// A feed that keeps what was published.
#[derive(Debug, Default)]
pub struct RecordingFeed(Mutex<Vec<RevocationEntry>>);

impl RecordingFeed {
    /// Everything published so far, in order.
    #[must_use]
    pub fn published(&self) -> Vec<RevocationEntry> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl RevocationFeed for RecordingFeed {
    fn publish(&self, entries: &[RevocationEntry]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(entries);
    }

    fn caught_up(&self, _: Timestamp) {}
}

/// Disclosed passwords that it is told, and that it can be told to know no more.
#[derive(Default)]
pub struct FixedBreaches {
    listed: HashSet<[u8; BreachDigest::LEN]>,
    unreadable: AtomicBool,
}

impl FixedBreaches {
    /// A list of these.
    #[must_use]
    pub fn new(listed: &[BreachDigest]) -> Self {
        Self {
            listed: listed.iter().map(|digest| *digest.as_bytes()).collect(),
            unreadable: AtomicBool::new(false),
        }
    }

    /// Answers from now on that it cannot be read.
    pub fn lose(&self) {
        self.unreadable.store(true, Ordering::SeqCst);
    }
}

impl fmt::Debug for FixedBreaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixedBreaches(…)")
    }
}

#[async_trait]
impl BreachList for FixedBreaches {
    async fn holds(&self, password: &BreachDigest) -> Result<bool, BreachListError> {
        if self.unreadable.load(Ordering::SeqCst) {
            return Err(BreachListError::new("the list was lost"));
        }
        Ok(self.listed.contains(password.as_bytes()))
    }
}
