//! Token buckets, each kept as one number: when it is full again.

use std::time::Duration;

use crate::domain::Timestamp;

/// What is asked for at a public route; each has buckets of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// A password or a second factor is checked.
    SignIn,
    /// A refresh token is checked.
    Refresh,
    /// A token for one use is checked: of an invitation, a reset, the bootstrap.
    Token,
    /// A message is sent to somebody.
    Mail,
}

impl Gate {
    /// Every gate.
    pub const ALL: [Self; 4] = [Self::SignIn, Self::Refresh, Self::Token, Self::Mail];
}

/// How much may come at once, and how fast more may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    burst: u32,
    every: Duration,
}

/// The rate of one address and that of its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Of an IPv4 address, or an IPv6 /64.
    pub address: Rate,
    /// Of an IPv4 /24, or an IPv6 /56.
    pub network: Rate,
}

fn micros(by: Duration) -> i64 {
    i64::try_from(by.as_micros()).unwrap_or(i64::MAX)
}

impl Rate {
    /// `burst` at once, and one more after each `every`.
    #[must_use]
    pub const fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every }
    }

    /// How many may come at once.
    #[must_use]
    pub const fn burst(self) -> u32 {
        self.burst
    }

    /// After how long one more may come.
    #[must_use]
    pub const fn every(self) -> Duration {
        self.every
    }

    /// The longest debt: that of an empty bucket.
    fn depth(self) -> i64 {
        micros(self.every).saturating_mul(self.burst.into())
    }

    /// When a bucket is full again, as seen at a time: not before it, and not later than an empty one.
    ///
    /// A debt from the future of a clock that was set back becomes that of an
    /// empty bucket. Keep the result, or each look finds it empty anew.
    #[must_use]
    pub fn settle(self, full_at: Timestamp, at: Timestamp) -> Timestamp {
        let empty = at.as_micros().saturating_add(self.depth());
        let debt = full_at.as_micros().clamp(at.as_micros(), empty);
        Timestamp::from_micros(debt)
    }

    /// Takes one out of a bucket that is full again at `full_at`; returns when it is full then.
    ///
    /// Nobody waits for longer than `every`.
    ///
    /// # Errors
    ///
    /// How long to wait, if it is empty.
    pub fn take(self, full_at: Timestamp, at: Timestamp) -> Result<Timestamp, Duration> {
        let empty = at.as_micros().saturating_add(self.depth());
        let debt = self.settle(full_at, at).as_micros();
        let next = debt.saturating_add(micros(self.every));
        if next <= empty {
            Ok(Timestamp::from_micros(next))
        } else {
            let wait = next.saturating_sub(empty);
            Err(Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
        }
    }

    /// Puts one back.
    #[must_use]
    pub fn give_back(self, full_at: Timestamp) -> Timestamp {
        full_at.before(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::new(3, Duration::from_secs(2));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + seconds)
    }

    /// Takes as many as there are at a moment.
    fn drain(mut full_at: Timestamp, now: Timestamp) -> (u32, Timestamp) {
        let mut taken = 0;
        while let Ok(next) = RATE.take(full_at, now) {
            full_at = next;
            taken += 1;
        }
        (taken, full_at)
    }

    #[test]
    fn a_burst_then_one_for_each_interval() {
        let (taken, full_at) = drain(Timestamp::UNIX_EPOCH, at(0));
        assert_eq!(taken, 3);
        assert_eq!(RATE.take(full_at, at(0)), Err(Duration::from_secs(2)));
        assert_eq!(RATE.take(full_at, at(1)), Err(Duration::from_secs(1)));
        let (taken, full_at) = drain(full_at, at(2));
        assert_eq!(taken, 1);
        assert_eq!(drain(full_at, at(6)).0, 2);
        assert_eq!(drain(full_at, at(600)).0, 3, "never more than a burst");
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let (_, full_at) = drain(Timestamp::UNIX_EPOCH, at(0));
        let back = RATE.give_back(full_at);
        assert_eq!(drain(back, at(0)).0, 1);
    }

    #[test]
    fn a_clock_set_back_makes_nobody_wait_for_longer() {
        let (_, full_at) = drain(Timestamp::UNIX_EPOCH, at(0));
        let earlier = at(-86_400);
        let wait = RATE.take(full_at, earlier).unwrap_err();
        assert_eq!(wait, Duration::from_secs(2));
        let settled = RATE.settle(full_at, earlier);
        assert_eq!(drain(settled, earlier.after(wait)).0, 1);
    }

    #[test]
    fn times_and_rates_at_their_ends_do_not_overflow() {
        let endless = Rate::new(u32::MAX, Duration::MAX);
        for now in [i64::MIN, 0, i64::MAX].map(Timestamp::from_micros) {
            for full_at in [i64::MIN, 0, i64::MAX].map(Timestamp::from_micros) {
                let _ = endless.take(full_at, now);
                let _ = RATE.take(full_at, now);
                let _ = endless.give_back(full_at);
            }
        }
    }
}
