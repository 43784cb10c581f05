//! How long a secret is kept in memory.

use std::time::Duration;

/// For how long a secret that was read is served without another read.
///
/// Ages count from the moment at which its source was asked. Until it is as old
/// as [`refresh`](Self::refresh) nobody asks again; from then on the first who
/// reads it lets it be asked in the background; past [`fresh`](Self::fresh) a
/// reader waits for the answer. Only where the source is out of reach, a value
/// of at most [`stale`](Self::stale) is served all the same, and says its age.
///
/// ```
/// use std::time::Duration;
/// use cyprob_secrets::domain::Keeping;
///
/// let keeping = Keeping::new(Duration::from_secs(60), Duration::from_secs(600)).unwrap();
/// assert_eq!(keeping.refresh(), Duration::from_secs(48));
/// assert!(Keeping::new(Duration::ZERO, Duration::ZERO).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    fresh: Duration,
    stale: Duration,
}

/// Times that a secret cannot be kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeepingError {
    /// Nothing would ever be fresh.
    #[error("secrets would be fresh for less than a second; keep them for one at least")]
    NeverFresh,
    /// What is fresh would be past its bound.
    #[error("the bound on staleness is shorter than a secret is fresh; make it at least as long")]
    StaleBeforeFresh,
    /// A withdrawn secret would be served for longer than a day.
    #[error("the bound on staleness is longer than {} hours", Keeping::MAX_STALE.as_secs() / 3_600)]
    TooStale,
}

impl Keeping {
    /// The longest bound on staleness.
    pub const MAX_STALE: Duration = Duration::from_secs(24 * 3_600);

    /// Fresh for five minutes, and served for an hour while the source is out of reach.
    pub const DEFAULT: Self = Self {
        fresh: Duration::from_secs(300),
        stale: Duration::from_secs(3_600),
    };

    /// How long a value is fresh, and how old one may be that is served while its source is out of reach.
    ///
    /// As long as it is fresh where nothing stale is to be served.
    ///
    /// # Errors
    ///
    /// [`KeepingError`], which says what to change.
    pub const fn new(fresh: Duration, stale: Duration) -> Result<Self, KeepingError> {
        if fresh.as_secs() == 0 {
            return Err(KeepingError::NeverFresh);
        }
        if stale.as_nanos() < fresh.as_nanos() {
            return Err(KeepingError::StaleBeforeFresh);
        }
        if stale.as_nanos() > Self::MAX_STALE.as_nanos() {
            return Err(KeepingError::TooStale);
        }
        Ok(Self { fresh, stale })
    }

    /// From what age on it is asked for again in the background: four fifths of [`fresh`](Self::fresh).
    #[must_use]
    pub const fn refresh(self) -> Duration {
        Duration::from_nanos((self.fresh.as_nanos() / 5 * 4) as u64)
    }

    /// Up to what age a value is served without a look at its source.
    #[must_use]
    pub const fn fresh(self) -> Duration {
        self.fresh
    }

    /// Up to what age a value is served while its source is out of reach.
    #[must_use]
    pub const fn stale(self) -> Duration {
        self.stale
    }
}

impl Default for Keeping {
    fn default() -> Self {
        Self::DEFAULT
    }
}
