//! How soon one who failed is asked again.

use std::time::Duration;

/// Pauses that double from a tenth of a second to ten seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(10);

    /// The pause after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = Self::FIRST.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        pause.min(Self::LONGEST)
    }

    /// It worked: the next failure is the first.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}
