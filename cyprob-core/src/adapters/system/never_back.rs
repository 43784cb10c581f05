//! A clock that never goes back.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::domain::Timestamp;

/// The time of day of a clock that may be set, on a clock that may not.
///
/// It is the time that the wall clock showed when it was last set forward, and
/// what has passed since on the steady one. Who sets the wall clock back makes
/// no token live longer (invariant SES-4): the process stays ahead until the
/// wall clock has caught up, or the process is started again. Who sets it forward
/// is noticed within a millisecond.
///
/// ```
/// # use std::time::Duration;
/// use cyprob_core::adapters::system::NeverBack;
/// use cyprob_core::domain::Timestamp;
///
/// let noon = Timestamp::from_seconds(1_767_268_800);
/// let clock = NeverBack::new();
/// assert_eq!(clock.time(noon, Duration::from_secs(5)), noon);
/// // An hour back; two seconds have passed.
/// let set_back = noon.before(Duration::from_secs(3_600));
/// assert_eq!(clock.time(set_back, Duration::from_secs(7)), noon.after(Duration::from_secs(2)));
/// ```
#[derive(Debug)]
pub struct NeverBack {
    /// How far the wall clock was ahead of the steady one at most, in microseconds.
    ahead: AtomicI64,
    /// When the wall clock was looked at last, on the steady one, in microseconds.
    looked: AtomicI64,
}

/// For how many microseconds after a look at the wall clock no other is needed.
const LATELY: i64 = 1_000;

impl NeverBack {
    /// One that has seen no time yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ahead: AtomicI64::new(i64::MIN),
            looked: AtomicI64::new(i64::MIN),
        }
    }

    /// The time now, from what the wall clock shows and what has passed on the steady clock since any fixed moment.
    ///
    /// Read the wall clock first: what lies between the two readings then makes
    /// nothing seem later than it is.
    pub fn time(&self, wall: Timestamp, steady: Duration) -> Timestamp {
        let steady = micros(steady);
        let ahead = wall.as_micros().saturating_sub(steady);
        let mut most = self.ahead.load(Ordering::Relaxed);
        // A write by every reader would be felt by all of them.
        if ahead > most {
            most = self.ahead.fetch_max(ahead, Ordering::Relaxed).max(ahead);
        }
        self.looked.store(steady, Ordering::Release);
        Timestamp::from_micros(steady.saturating_add(most))
    }

    /// The time now from the steady clock alone, if the wall clock was looked at within the last millisecond.
    ///
    /// Reading a clock is a good part of what a request costs beside its handler.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use cyprob_core::adapters::system::NeverBack;
    /// use cyprob_core::domain::Timestamp;
    ///
    /// let noon = Timestamp::from_seconds(1_767_268_800);
    /// let clock = NeverBack::new();
    /// assert_eq!(clock.lately(Duration::from_micros(5)), None);
    /// clock.time(noon, Duration::from_micros(5));
    /// let soon = noon.after(Duration::from_micros(900));
    /// assert_eq!(clock.lately(Duration::from_micros(905)), Some(soon));
    /// assert_eq!(clock.lately(Duration::from_micros(1_005)), None);
    /// ```
    pub fn lately(&self, steady: Duration) -> Option<Timestamp> {
        let steady = micros(steady);
        let looked = self.looked.load(Ordering::Acquire);
        if steady.saturating_sub(looked) >= LATELY {
            return None;
        }
        let ahead = self.ahead.load(Ordering::Relaxed);
        Some(Timestamp::from_micros(steady.saturating_add(ahead)))
    }
}

fn micros(steady: Duration) -> i64 {
    i64::try_from(steady.as_micros()).unwrap_or(i64::MAX)
}

impl Default for NeverBack {
    fn default() -> Self {
        Self::new()
    }
}
