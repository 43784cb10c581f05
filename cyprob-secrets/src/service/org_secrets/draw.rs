//! Drawing a value that nobody writes.

use cyprob_core::ports::Entropy;
use zeroize::Zeroizing;

use crate::domain::{Drawing, SecretValue, SecretValueError};

/// Draws a value; every character is as likely as every other, and the bytes it came from are wiped.
pub(super) fn draw(
    drawing: Drawing,
    entropy: &dyn Entropy,
) -> Result<SecretValue, SecretValueError> {
    let characters = drawing.alphabet().characters();
    // A byte past the last whole multiple would favour the first characters: it is drawn again.
    let even = 256 - 256 % characters.len();
    let mut drawn = Zeroizing::new(Vec::with_capacity(drawing.length()));
    let mut bytes = Zeroizing::new([0_u8; Drawing::MAX_LENGTH]);
    while drawn.len() < drawing.length() {
        entropy.fill(bytes.as_mut_slice());
        let usable = bytes.iter().map(|byte| usize::from(*byte));
        let usable = usable.filter(|byte| *byte < even);
        let characters = usable.filter_map(|byte| characters.get(byte % characters.len()));
        let missing = drawing.length() - drawn.len();
        drawn.extend(characters.take(missing));
    }
    SecretValue::new(std::mem::take(&mut *drawn))
}

#[cfg(test)]
mod tests {
    use cyprob_core::testkit::SeededEntropy;
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::domain::Alphabet;

    #[test]
    fn every_character_is_drawn_about_as_often() {
        let entropy = SeededEntropy::new(7);
        for alphabet in [Alphabet::Alphanumeric, Alphabet::Url, Alphabet::Hex] {
            let mut counts = std::collections::BTreeMap::new();
            let drawing = Drawing::new(100, alphabet).unwrap();
            for _ in 0..1_000 {
                let value = draw(drawing, &entropy).unwrap();
                assert_eq!(value.len(), 100);
                for byte in value.expose_secret() {
                    *counts.entry(*byte).or_insert(0_usize) += 1;
                }
            }
            let all: Vec<u8> = counts.keys().copied().collect();
            let mut expected = alphabet.characters().to_vec();
            expected.sort_unstable();
            assert_eq!(all, expected);
            let mean = 100_000 / expected.len();
            for (byte, count) in counts {
                let share = count.abs_diff(mean) * 100 / mean;
                assert!(share < 15, "{alphabet:?} {byte}: {count} of {mean}");
            }
        }
    }

    #[test]
    fn lengths_are_exact() {
        let entropy = SeededEntropy::new(8);
        for length in Drawing::MIN_LENGTH..=Drawing::MAX_LENGTH {
            let drawing = Drawing::new(length, Alphabet::Hex).unwrap();
            assert_eq!(draw(drawing, &entropy).unwrap().len(), length);
        }
    }
}
