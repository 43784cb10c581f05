//! Points in time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time: microseconds since the Unix epoch, UTC.
///
/// `Display` writes RFC 3339 with six fractional digits; `FromStr` reads any
/// RFC 3339 time and drops what is finer than a microsecond. Boundaries in
/// this project are half-open: a thing is valid while `at < expires_at`.
///
/// ```
/// use cyprob_core::domain::Timestamp;
///
/// let at: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
/// assert_eq!(at.to_string(), "2026-11-23T12:00:00.000000Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 time, or lies outside the years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct TimestampError;

/// 0000-01-01T00:00:00Z in microseconds.
const FIRST: i64 = -62_167_219_200_000_000;
/// 9999-12-31T23:59:59.999999Z in microseconds.
const LAST: i64 = 253_402_300_799_999_999;

impl Timestamp {
    /// The Unix epoch.
    pub const UNIX_EPOCH: Self = Self(0);

    /// Makes a time from microseconds since the Unix epoch, clamped to the
    /// years 0 to 9999, so that every value has an RFC 3339 form.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        if micros < FIRST {
            Self(FIRST)
        } else if micros > LAST {
            Self(LAST)
        } else {
            Self(micros)
        }
    }

    /// Makes a time from whole seconds since the Unix epoch, clamped likewise.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This time moved forward, clamped to the last representable one.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(micros(by)))
    }

    /// This time moved back, clamped to the first representable one.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        Self::from_micros(self.0.saturating_sub(micros(by)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn micros(by: Duration) -> i64 {
    i64::try_from(by.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .map_err(|_| fmt::Error)?;
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.microsecond(),
        )
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimestampError)?;
        let micros = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000))
            .map_err(|_| TimestampError)?;
        if !(FIRST..=LAST).contains(&micros) {
            return Err(TimestampError);
        }
        Ok(Self(micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_at_the_ends() {
        for micros in [FIRST, -1, 0, 1, LAST] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
        }
    }

    #[test]
    fn arithmetic_never_leaves_the_representable_years() {
        assert_eq!(
            Timestamp::from_micros(i64::MAX)
                .after(Duration::MAX)
                .as_micros(),
            LAST
        );
        assert_eq!(
            Timestamp::from_micros(i64::MIN)
                .before(Duration::MAX)
                .as_micros(),
            FIRST
        );
        assert_eq!(
            Timestamp::UNIX_EPOCH.since(Timestamp::from_micros(5)),
            Duration::ZERO
        );
    }
}
