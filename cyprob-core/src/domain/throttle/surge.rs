//! Whether many accounts are tried at once, more than is usual here.

use std::collections::VecDeque;

use super::{Distinct, Subject};
use crate::domain::Timestamp;

/// How long a window is, in seconds.
const WINDOW_SECONDS: i64 = 60;
/// How many windows tell what is usual.
const REMEMBERED: usize = 60;

/// Watches how many different names fail within a minute.
///
/// It is a surge from the moment when a minute has at least the floor, and at
/// least `factor` times the median of the last hour's minutes; it is over with
/// the first minute that stays under half of that. Minutes of a surge do not
/// change what is usual.
#[derive(Debug)]
pub struct Surge {
    floor: u32,
    factor: u32,
    window: Option<i64>,
    names: Distinct,
    failures: u64,
    past: VecDeque<u32>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    usual: u32,
    began: Timestamp,
    most: u32,
    failures: u64,
}

/// What has changed. The counts of names are estimates within some three percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SurgeTurn {
    /// It began.
    Began {
        /// Different names that failed in this minute so far.
        names: u32,
        /// What is usual in a minute.
        usual: u32,
        /// Failures in this minute so far.
        failures: u64,
    },
    /// It is over.
    Ended {
        /// Most different names in one minute.
        names: u32,
        /// What was usual in a minute.
        usual: u32,
        /// All failures of the surge.
        failures: u64,
        /// When it began.
        began: Timestamp,
    },
}

impl Surge {
    /// Watches for so many different names in a minute, and so many times the usual.
    #[must_use]
    pub fn new(floor: u32, factor: u32) -> Self {
        Self {
            floor,
            factor,
            window: None,
            names: Distinct::default(),
            failures: 0,
            past: VecDeque::with_capacity(REMEMBERED),
            running: None,
        }
    }

    /// Counts a failure.
    pub fn count(&mut self, name: &Subject, at: Timestamp) -> Option<SurgeTurn> {
        let ended = self.look(at);
        self.names.add(name);
        self.failures = self.failures.saturating_add(1);
        ended
    }

    /// Says what has changed; ask every few seconds.
    pub fn look(&mut self, at: Timestamp) -> Option<SurgeTurn> {
        let window = at.as_seconds().div_euclid(WINDOW_SECONDS);
        let current = *self.window.get_or_insert(window);
        // A clock that was set back goes on in the window it was in.
        if window > current {
            self.window = Some(window);
            let ended = self.close(window.saturating_sub(current));
            if ended.is_some() {
                return ended;
            }
        } else if window < current.saturating_sub(1) {
            self.window = Some(window);
        }
        self.open(at)
    }

    /// Says whether a surge has begun, or lets the one that runs grow.
    fn open(&mut self, at: Timestamp) -> Option<SurgeTurn> {
        let names = self.names.estimate();
        let usual = self.usual();
        if let Some(running) = &mut self.running {
            running.most = running.most.max(names);
            return None;
        }
        if names < self.bound(usual) {
            return None;
        }
        self.running = Some(Running {
            usual,
            began: at,
            most: names,
            failures: 0,
        });
        Some(SurgeTurn::Began {
            names,
            usual,
            failures: self.failures,
        })
    }

    /// Closes the window and those that passed with nothing in them.
    fn close(&mut self, windows: i64) -> Option<SurgeTurn> {
        let (names, failures) = (self.names.estimate(), self.failures);
        self.names.clear();
        self.failures = 0;
        let quiet = usize::try_from(windows.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(mut running) = self.running.take() else {
            self.remember(names);
            (0..quiet.min(REMEMBERED)).for_each(|_| self.remember(0));
            return None;
        };
        running.most = running.most.max(names);
        running.failures = running.failures.saturating_add(failures);
        if quiet == 0 && names >= self.bound(running.usual) / 2 {
            self.running = Some(running);
            return None;
        }
        Some(SurgeTurn::Ended {
            names: running.most,
            usual: running.usual,
            failures: running.failures,
            began: running.began,
        })
    }

    fn remember(&mut self, names: u32) {
        if self.past.len() >= REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back(names);
    }

    fn bound(&self, usual: u32) -> u32 {
        self.floor.max(usual.saturating_mul(self.factor))
    }

    /// The median of the minutes that are remembered.
    fn usual(&self) -> u32 {
        let mut sorted: Vec<u32> = self.past.iter().copied().collect();
        let middle = sorted.len() / 2;
        if sorted.is_empty() {
            return 0;
        }
        *sorted.select_nth_unstable(middle).1
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DeviceKeys, SignInName};
    use super::*;

    struct Watch {
        surge: Surge,
        keys: DeviceKeys,
        turns: Vec<(i64, SurgeTurn)>,
    }

    impl Watch {
        fn new() -> Self {
            Self {
                surge: Surge::new(50, 5),
                keys: DeviceKeys::new(1, [3; 32]),
                turns: Vec::new(),
            }
        }

        /// So many different names fail in a minute, each twice; it is looked at as it goes.
        fn minute(&mut self, minute: i64, names: u32) {
            let at = Timestamp::from_seconds(minute * WINDOW_SECONDS + 1);
            for name in 0..names {
                let name = SignInName::of(&format!("{name}@{minute}.org"));
                let name = Subject::account(&self.keys, &name);
                for _ in 0..2 {
                    let turn = self.surge.count(&name, at);
                    self.turns.extend(turn.map(|turn| (minute, turn)));
                }
            }
            let turn = self.surge.look(at);
            self.turns.extend(turn.map(|turn| (minute, turn)));
        }
    }

    #[test]
    fn a_surge_begins_once_and_ends_once_with_its_counts() {
        let mut watch = Watch::new();
        (0..30).for_each(|minute| watch.minute(minute, 2));
        assert_eq!(watch.turns, []);
        for minute in 30..35 {
            watch.minute(minute, 400);
        }
        for minute in 35..60 {
            watch.minute(minute, 2);
        }
        let [(30, began), (36, ended)] = watch.turns[..] else {
            panic!("{:?}", watch.turns);
        };
        let SurgeTurn::Began { names, usual, .. } = began else {
            panic!("{began:?}");
        };
        assert_eq!(usual, 2);
        assert!((50..=60).contains(&names), "{names}");
        let SurgeTurn::Ended {
            names, failures, ..
        } = ended
        else {
            panic!("{ended:?}");
        };
        assert!((360..=440).contains(&names), "{names}");
        assert_eq!(failures, 5 * 800 + 4, "the quiet minute that ended it too");
        assert_eq!(watch.surge.usual(), 2, "a surge is not usual");
    }

    #[test]
    fn what_is_usual_here_is_no_surge() {
        let mut watch = Watch::new();
        for minute in 0..40 {
            watch.minute(minute, 30 + u32::try_from(minute % 10).unwrap());
        }
        watch.minute(40, 120);
        assert_eq!(watch.turns, [], "four times the usual, not five");
        watch.minute(41, 220);
        assert_eq!(watch.turns.len(), 1);
    }

    #[test]
    fn one_wild_minute_does_not_move_the_usual() {
        let mut watch = Watch::new();
        (0..20).for_each(|minute| watch.minute(minute, 3));
        watch.minute(20, 45);
        watch.minute(21, 60);
        assert!(
            matches!(watch.turns[..], [(21, SurgeTurn::Began { usual: 3, .. })]),
            "{:?}",
            watch.turns
        );
    }

    #[test]
    fn silence_ends_it_and_clock_steps_do_no_harm() {
        let mut watch = Watch::new();
        watch.minute(100, 80);
        watch.minute(5_000_000, 0);
        assert!(
            matches!(
                watch.turns[..],
                [
                    (100, SurgeTurn::Began { .. }),
                    (5_000_000, SurgeTurn::Ended { .. })
                ]
            ),
            "{:?}",
            watch.turns
        );
        watch.minute(-7, 0);
        watch.minute(-6, 80);
        assert_eq!(watch.turns.len(), 3);
    }
}
