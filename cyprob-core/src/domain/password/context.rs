//! Words that describe an account: its own names are the first that a guesser tries.

use zeroize::Zeroizing;

use super::plain_letter;

/// The shortest word that counts.
const SHORTEST: usize = 3;
/// With so many characters beside the words, a password stands on its own.
const ENOUGH: usize = 8;

/// Words that describe an account: names and addresses of the person, organizations and the product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextWords(Vec<Vec<char>>);

impl ContextWords {
    /// Adds the words of a text; what is no letter and no digit parts them.
    #[must_use]
    pub fn with(mut self, text: &str) -> Self {
        self.add(text);
        self
    }

    /// Adds the words of a text.
    pub fn add(&mut self, text: &str) {
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric());
        for word in words.map(|word| word.chars().collect::<Vec<char>>()) {
            if word.len() >= SHORTEST && !self.0.contains(&word) {
                self.0.push(word);
            }
        }
    }

    /// Adds the words of another.
    pub fn extend(&mut self, others: &Self) {
        for word in &others.0 {
            if !self.0.contains(word) {
                self.0.push(word.clone());
            }
        }
    }

    /// At least half of the text are these words, and little else is left.
    ///
    /// Every occurrence counts, overlapping ones too: one more word never makes less of the text known.
    pub(in crate::domain) fn make_up(&self, lower: &[char]) -> bool {
        let plain = |one| lower.iter().map(|c| plain_letter(*c, one)).collect();
        let forms: Zeroizing<[Vec<char>; 3]> =
            Zeroizing::new([lower.to_vec(), plain('i'), plain('l')]);
        let mut known = vec![false; lower.len()];
        for word in &self.0 {
            for form in forms.iter() {
                for (at, part) in form.windows(word.len()).enumerate() {
                    if part == word.as_slice() {
                        known
                            .iter_mut()
                            .skip(at)
                            .take(word.len())
                            .for_each(|it| *it = true);
                    }
                }
            }
        }
        let said = known.iter().filter(|it| **it).count();
        said > 0 && said * 2 >= lower.len() && lower.len() - said < ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_up(text: &str) -> bool {
        let words = ContextWords::default()
            .with("Ada Lovelace")
            .with("ada@example.org")
            .with("acme");
        words.make_up(&text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn names_are_found_with_little_around_and_in_look_alikes() {
        for bad in [
            "adalovelaceacme2026",
            "ada.lovelace!2026",
            "4cm3@example2026",
            "acmeacmeacmeacme1",
            "acme2026",
        ] {
            assert!(made_up(bad), "{bad}");
        }
        for good in [
            "acme sells nice anvils",
            "nobody in particular",
            "k7#acm9x",
            "",
        ] {
            assert!(!made_up(good), "{good}");
        }
    }

    #[test]
    fn words_that_overlap_are_both_known() {
        let words = ContextWords::default().with("lovela").with("velace99");
        assert!(words.make_up(&"lovelace99".chars().collect::<Vec<_>>()));
    }
}
