//! Whether two groups of measurements can be told apart.

use std::fmt;

/// How often the groups are drawn anew from themselves.
const RESAMPLES: usize = 2_000;

/// Where a value lies with a confidence of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether all of it lies so near to zero.
    #[must_use]
    pub fn is_within(&self, bound: f64) -> bool {
        -bound <= self.low && self.high <= bound
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.2} to {:+.2}", self.low, self.high)
    }
}

/// The median; zero of nothing.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let (_, found, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    *found
}

/// The 95 % interval of the difference of the medians of two groups measured in rounds, by bootstrap.
///
/// What a round did to both is taken out first: each value counts from the middle
/// of its own pair, and the difference of the medians of such values is the median
/// of the differences within a round. A machine whose clock has two speeds would
/// else move a group's median from the one to the other by a round more or less,
/// though the two groups cost the same. The draws are the same every time.
#[must_use]
pub fn difference_of_medians(rounds: &[(f64, f64)]) -> Interval {
    let within: Vec<f64> = rounds.iter().map(|(one, other)| one - other).collect();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut differences: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = within
                .iter()
                .filter_map(|_| within.get(numbers.below(within.len())).copied());
            median(&drawn.collect::<Vec<f64>>())
        })
        .collect();
    differences.sort_unstable_by(f64::total_cmp);
    let at = |share: usize| {
        let place = RESAMPLES * share / 1_000;
        differences.get(place).copied().unwrap_or(f64::NAN)
    };
    Interval {
        low: at(25),
        high: at(974),
    }
}

/// Numbers that look random and are the same every time (SplitMix64).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        usize::try_from(z % (bound.max(1) as u64)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of which the second group costs so much more, with noise of up to ten of a hundred.
    fn rounds(more: f64) -> Vec<(f64, f64)> {
        let mut numbers = Numbers(7);
        let mut cost = |base: f64| base + numbers.below(1_000) as f64 / 100.0;
        (0..500)
            .map(|_| (cost(100.0), cost(100.0 + more)))
            .collect()
    }

    #[test]
    fn equal_groups_are_not_told_apart_and_others_are() {
        let equal = difference_of_medians(&rounds(0.0));
        assert!(equal.is_within(2.0), "{equal}");
        for more in [3.0, -3.0, 50.0] {
            let other = difference_of_medians(&rounds(more));
            assert!(!other.is_within(2.0), "{other}");
        }
        assert!(
            !Interval {
                low: f64::NAN,
                high: f64::NAN
            }
            .is_within(2.0)
        );
    }

    /// Rounds on a machine that is slower by a tenth in half of them, now and then within one.
    fn rounds_of_two_speeds(second: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        let mut numbers = Numbers(11);
        (0..500)
            .map(|round| {
                let slow = numbers.below(2) == 0;
                let mut cost = |base: f64| {
                    let slow = slow != (numbers.below(8) == 0);
                    let noise = numbers.below(100) as f64 / 100.0;
                    base * if slow { 1.1 } else { 1.0 } + noise
                };
                (cost(100.0), cost(second(round)))
            })
            .collect()
    }

    #[test]
    fn two_speeds_of_a_machine_are_no_difference_and_hide_none() {
        let equal = difference_of_medians(&rounds_of_two_speeds(|_| 100.0));
        assert!(equal.is_within(2.0), "{equal}");
        for more in [3.0, -3.0] {
            let other = difference_of_medians(&rounds_of_two_speeds(|_| 100.0 + more));
            assert!(!other.is_within(2.0), "{other}");
        }
        // Every second name of the group costs more.
        let half = |round: usize| {
            if round.is_multiple_of(2) {
                104.0
            } else {
                100.0
            }
        };
        let other = difference_of_medians(&rounds_of_two_speeds(half));
        assert!(!other.is_within(2.0), "{other}");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    }
}
