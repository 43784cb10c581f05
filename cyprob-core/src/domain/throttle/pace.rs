//! What the policy of throttling means: rates of gates, and waits after failures.

use std::time::Duration;

use super::{Failures, Gate, Rate, Rates};
use crate::domain::{ThrottlingPolicy, Timestamp};

/// How long a stranger waits after the first failures in a row; after more, as after the last.
const STEPS: [Duration; 4] = [
    SECOND,
    Duration::from_secs(3),
    Duration::from_secs(5),
    Duration::from_secs(10),
];
/// How long nobody needs to try when password sign-in is switched off for strangers.
const SWITCHED_OFF_RETRY: Duration = Duration::from_secs(3600);
/// Most attempts at one account that are under way at once while none has failed.
const FREE_AT_ONCE: u32 = 16;
/// A network may do five times what one of its addresses may.
const NETWORK_SHARE: u32 = 5;

const SECOND: Duration = Duration::from_secs(1);

impl ThrottlingPolicy {
    /// How often what was counted is written to the store.
    ///
    /// So many nodes share their counters within twice this time; until then
    /// each allows what one would.
    pub const FLUSH_EVERY: Duration = Duration::from_secs(5);
    /// It is an attack if so many times as many names fail within a minute as usual.
    pub const SURGE_FACTOR: u32 = 5;

    /// The buckets of a gate.
    #[must_use]
    pub fn rates(&self, gate: Gate) -> Rates {
        let address = match gate {
            Gate::SignIn => {
                let every = SECOND * 60 / self.failures_per_minute().max(1);
                Rate::new(self.failures_at_once(), every)
            }
            Gate::Refresh => Rate::new(300, Duration::from_millis(100)),
            Gate::Token => Rate::new(60, SECOND),
            Gate::Mail => Rate::new(20, Duration::from_secs(10)),
        };
        let share = address.every() / NETWORK_SHARE;
        Rates {
            address,
            network: Rate::new(address.burst().saturating_mul(NETWORK_SHARE), share),
        }
    }

    /// How long a stranger has yet to wait before the next attempt at an account, of whose attempts some are under way.
    ///
    /// Nobody waits for longer than a step. A failure from further in the future
    /// than that comes from a clock that was set back, and delays nothing.
    #[must_use]
    pub fn wait(&self, failures: &Failures, under_way: u32, at: Timestamp) -> Duration {
        if failures.count >= self.switch_off_after() {
            return SWITCHED_OFF_RETRY;
        }
        if failures.count == 0 {
            return if under_way < FREE_AT_ONCE {
                Duration::ZERO
            } else {
                step(1)
            };
        }
        if under_way > 0 {
            return step(failures.count.saturating_add(under_way));
        }
        let step = step(failures.count);
        match failures.last {
            Some(last) if last <= at.after(step) => last.after(step).since(at).min(step),
            _ => Duration::ZERO,
        }
    }
}

/// The step after so many failures.
fn step(failures: u32) -> Duration {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let last = STEPS.last().copied().unwrap_or_default();
    STEPS.get(index).copied().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn wait(count: u32, since: i64) -> u64 {
        let failures = Failures {
            count,
            last: Some(at(0)),
        };
        ThrottlingPolicy::default()
            .wait(&failures, 0, at(since))
            .as_secs()
    }

    #[test]
    fn asvs_6_3_1_each_failure_makes_the_next_wait_longer() {
        let waits: Vec<u64> = (0..8).map(|count| wait(count, 0)).collect();
        assert_eq!(waits, [0, 1, 3, 5, 10, 10, 10, 10]);
        assert_eq!(wait(99, 0), 10);
        assert_eq!(wait(4, 4), 6, "the seconds left");
        assert_eq!(wait(4, 10), 0);
        assert_eq!(wait(4, 10_000), 0);
    }

    #[test]
    fn asvs_6_3_1_a_hundred_failures_switch_it_off_for_strangers() {
        assert_eq!(wait(100, 0), 3600);
        assert_eq!(wait(100, 1_000_000), 3600, "time alone does not lift it");
        assert_eq!(wait(u32::MAX, 0), 3600);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        assert_eq!(wait(4, -3), 10, "two clocks that differ a little");
        assert_eq!(wait(4, -11), 0, "a clock that was set back");
        assert_eq!(wait(4, -1_000_000), 0);
        for last in [i64::MIN, 0, i64::MAX].map(Timestamp::from_micros) {
            for now in [i64::MIN, 0, i64::MAX].map(Timestamp::from_micros) {
                let failures = Failures {
                    count: 5,
                    last: Some(last),
                };
                let wait = ThrottlingPolicy::default().wait(&failures, 0, now);
                assert!(wait <= Duration::from_secs(10));
            }
        }
    }

    #[test]
    fn many_at_once_are_one_after_the_other_once_one_has_failed() {
        let policy = ThrottlingPolicy::default();
        let wait = |count, under_way| {
            let failures = Failures {
                count,
                last: Some(at(-100)),
            };
            policy.wait(&failures, under_way, at(0)).as_secs()
        };
        assert_eq!(wait(0, 15), 0);
        assert_eq!(wait(0, 16), 1);
        assert_eq!(wait(1, 0), 0);
        assert_eq!(wait(1, 1), 3);
        assert_eq!(wait(50, u32::MAX), 10);
    }

    #[test]
    fn a_network_may_do_five_times_what_an_address_may() {
        let strict = ThrottlingPolicy::default()
            .with_failures_at_once(5)
            .and_then(|policy| policy.with_failures_per_minute(30))
            .unwrap();
        let rates = strict.rates(Gate::SignIn);
        assert_eq!(rates.address, Rate::new(5, SECOND * 2));
        assert_eq!(rates.network, Rate::new(25, Duration::from_millis(400)));
    }
}
