//! How often each outcome came.

use std::collections::BTreeMap;
use std::fmt;

/// Counts outcomes by name.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    /// One more of an outcome.
    pub fn count(&mut self, outcome: &'static str) {
        *self.0.entry(outcome).or_default() += 1;
    }

    /// The outcomes that made up less than so many percent.
    #[must_use]
    pub fn rarer_than(&self, percent: f64) -> Vec<&'static str> {
        let all: u64 = self.0.values().sum();
        let share = |count: u64| count as f64 * 100.0 / all.max(1) as f64;
        self.0
            .iter()
            .filter(|(_, n)| share(**n) < percent)
            .map(|(name, _)| *name)
            .collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u64 = self.0.values().sum();
        for (number, (name, count)) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            let share = *count as f64 * 100.0 / all.max(1) as f64;
            write!(f, "{comma}{name} {share:.1} %")?;
        }
        Ok(())
    }
}
