//! How long something that was lent is held.

use std::time::Duration;

use cyprob_core::domain::Timestamp;

/// The time for which a token or credentials were lent, by our own clock.
///
/// It counts from the moment at which they were asked for, so that it never
/// ends later here than at their source.
///
/// ```
/// use std::time::Duration;
/// use cyprob_core::domain::Timestamp;
/// use cyprob_secrets::domain::Lease;
///
/// let lease = Lease::new(Timestamp::from_seconds(1_000), Duration::from_secs(900));
/// assert_eq!(lease.ends_at(), Timestamp::from_seconds(1_900));
/// // two thirds of it, and of the grace of 10 to 20 % a third
/// assert_eq!(lease.renew_after(0), Duration::from_secs(630));
/// assert_eq!(lease.renew_after(u16::MAX), Duration::from_secs(660));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    asked_at: Timestamp,
    term: Duration,
}

impl Lease {
    /// Lent for so long, to one who asked at that time.
    #[must_use]
    pub const fn new(asked_at: Timestamp, term: Duration) -> Self {
        Self { asked_at, term }
    }

    /// For how long it was lent.
    #[must_use]
    pub const fn term(self) -> Duration {
        self.term
    }

    /// From when on it may not be used.
    #[must_use]
    pub fn ends_at(self) -> Timestamp {
        self.asked_at.after(self.term)
    }

    /// How long it may be used yet.
    #[must_use]
    pub fn left(self, at: Timestamp) -> Duration {
        self.ends_at().since(at)
    }

    /// Whether it may not be used any more.
    #[must_use]
    pub fn is_over(self, at: Timestamp) -> bool {
        at >= self.ends_at()
    }

    /// How long after it was asked for it is renewed: two thirds of its term, and a third of a
    /// grace of 10 to 20 % by chance, so that many who began together do not renew together.
    #[must_use]
    pub fn renew_after(self, chance: u16) -> Duration {
        let term = self.term.as_micros();
        let grace = term * (u128::from(u16::MAX) + u128::from(chance)) / u128::from(u16::MAX) / 10;
        let after = term * 2 / 3 + grace / 3;
        Duration::from_micros(u64::try_from(after).unwrap_or(u64::MAX))
    }

    /// When it is renewed; see [`renew_after`](Self::renew_after).
    #[must_use]
    pub fn renews_at(self, chance: u16) -> Timestamp {
        self.asked_at.after(self.renew_after(chance))
    }
}
