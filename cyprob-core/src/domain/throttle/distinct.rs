//! How many different things were seen, in one kilobyte (HyperLogLog).

use super::Subject;

/// The logarithm of the number of registers.
const BITS: u32 = 10;
const REGISTERS: usize = 1 << BITS;

/// Estimates how many different subjects were added; the error is some three percent.
///
/// A subject is a keyed hash, so nobody outside can choose where it falls.
#[derive(Clone, Debug)]
pub struct Distinct(Box<[u8; REGISTERS]>);

impl Default for Distinct {
    fn default() -> Self {
        Self(Box::new([0; REGISTERS]))
    }
}

impl Distinct {
    /// The memory that it has.
    pub const BYTES: usize = REGISTERS;

    /// Adds one; adding it again changes nothing.
    pub fn add(&mut self, subject: &Subject) {
        let bits = u128::from_be_bytes(*subject.as_bytes());
        // INVARIANT: ten bits are left of the shift
        let register = usize::try_from(bits >> (128 - BITS)).unwrap_or(0);
        let rest = bits << BITS;
        // INVARIANT: at most 128 leading zeros
        let rank = u8::try_from(rest.leading_zeros().saturating_add(1)).unwrap_or(u8::MAX);
        if let Some(known) = self.0.get_mut(register) {
            *known = rank.max(*known);
        }
    }

    /// How many there were, about.
    #[must_use]
    pub fn estimate(&self) -> u32 {
        let many = REGISTERS as f64;
        let sum: f64 = self.0.iter().map(|rank| (-f64::from(*rank)).exp2()).sum();
        let raw = 0.7213 / (1.0 + 1.079 / many) * many * many / sum;
        let empty = self.0.iter().filter(|rank| **rank == 0).count();
        let found = if raw <= 2.5 * many && empty > 0 {
            many * (many / empty as f64).ln()
        } else {
            raw
        };
        // `as` keeps to the bounds of u32
        found.round() as u32
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DeviceKeys, SignInName};
    use super::*;

    #[test]
    fn the_estimate_is_near_and_repeats_count_once() {
        let keys = DeviceKeys::new(1, [7; 32]);
        let mut seen = Distinct::default();
        assert_eq!(seen.estimate(), 0);
        let mut many = 0_u32;
        for wanted in [1_u32, 10, 100, 1_000, 10_000, 50_000] {
            while many < wanted {
                let subject = Subject::account(&keys, &SignInName::of(&format!("{many}@x.org")));
                seen.add(&subject);
                seen.add(&subject);
                many += 1;
            }
            let (found, wanted) = (f64::from(seen.estimate()), f64::from(wanted));
            assert!(
                (found - wanted).abs() <= 0.1 * wanted + 1.0,
                "{found} of {wanted}"
            );
        }
        seen.clear();
        assert_eq!(seen.estimate(), 0);
    }
}
