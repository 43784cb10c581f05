//! How long things live.

use std::time::Duration;

/// Lifetimes of sessions and their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    access_ttl: Duration,
    idle: Duration,
    absolute: Duration,
    grace: Duration,
}

/// A lifetime lies outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} must lie between {min} and {max} seconds")]
pub struct SessionPolicyError {
    setting: &'static str,
    min: u64,
    max: u64,
}

fn bounded(
    setting: &'static str,
    value: Duration,
    min: u64,
    max: u64,
) -> Result<Duration, SessionPolicyError> {
    if (Duration::from_secs(min)..=Duration::from_secs(max)).contains(&value) {
        Ok(value)
    } else {
        Err(SessionPolicyError { setting, min, max })
    }
}

impl SessionPolicy {
    /// Sets how long an access token lives: 30 seconds to 15 minutes, 5 minutes by default.
    ///
    /// # Errors
    ///
    /// [`SessionPolicyError`] outside these bounds.
    pub fn with_access_ttl(mut self, ttl: Duration) -> Result<Self, SessionPolicyError> {
        self.access_ttl = bounded("access_ttl_seconds", ttl, 30, 15 * 60)?;
        Ok(self)
    }

    /// Sets how long an unused session lives: 1 minute to 30 days, 7 days by default.
    ///
    /// # Errors
    ///
    /// [`SessionPolicyError`] outside these bounds.
    pub fn with_idle(mut self, idle: Duration) -> Result<Self, SessionPolicyError> {
        self.idle = bounded("session_idle_seconds", idle, 60, 30 * 86_400)?;
        Ok(self)
    }

    /// Sets how long a session lives at most: 1 minute to 90 days, 30 days by default.
    ///
    /// # Errors
    ///
    /// [`SessionPolicyError`] outside these bounds.
    pub fn with_absolute(mut self, absolute: Duration) -> Result<Self, SessionPolicyError> {
        self.absolute = bounded("session_absolute_seconds", absolute, 60, 90 * 86_400)?;
        Ok(self)
    }

    /// Sets how long the refresh token just replaced is still answered: up to 60 seconds, 10 by default.
    ///
    /// # Errors
    ///
    /// [`SessionPolicyError`] outside these bounds.
    pub fn with_grace(mut self, grace: Duration) -> Result<Self, SessionPolicyError> {
        self.grace = bounded("refresh_grace_seconds", grace, 0, 60)?;
        Ok(self)
    }

    /// How long an access token lives.
    #[must_use]
    pub const fn access_ttl(&self) -> Duration {
        self.access_ttl
    }

    /// How long an unused session lives.
    #[must_use]
    pub const fn idle(&self) -> Duration {
        self.idle
    }

    /// How long a session lives at most.
    #[must_use]
    pub const fn absolute(&self) -> Duration {
        self.absolute
    }

    /// How long the refresh token just replaced is still answered.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        self.grace
    }
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            access_ttl: Duration::from_secs(5 * 60),
            idle: Duration::from_secs(7 * 86_400),
            absolute: Duration::from_secs(30 * 86_400),
            grace: Duration::from_secs(10),
        }
    }
}
