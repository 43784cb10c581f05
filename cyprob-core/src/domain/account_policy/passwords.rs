//! What a new password must be.

use secrecy::{ExposeSecret, SecretString};

use super::setting::settings;
use crate::domain::WeakPassword;

settings! {
    /// What a new password must be (ASVS 5.0, 6.2): long; nothing is asked of its composition.
    PasswordPolicy {
        /// Fewest characters of a password that is the only factor: 15 to 64, 15 by default (NIST SP 800-63B-4, 3.1.1.2).
        min_chars / with_min_chars: u32 = 15, within 15, 64, "password_min_chars";
        /// Fewest characters of a password beside a second factor: 8 to 64, 8 by default.
        min_chars_with_factor / with_min_chars_with_factor: u32 = 8, within 8, 64, "password_min_chars_with_factor";
    }
}

impl PasswordPolicy {
    /// The longest password, in bytes, exactly as received.
    pub const MAX_BYTES: usize = 1024;

    /// Says whether a new password is accepted for an account that these words describe.
    ///
    /// # Errors
    ///
    /// [`WeakPassword`] with the first rule that it breaks.
    pub fn check(&self, password: &SecretString, context: &[&str]) -> Result<(), WeakPassword> {
        let password = password.expose_secret();
        if password.len() > Self::MAX_BYTES {
            return Err(WeakPassword::TooLong);
        }
        if password.chars().count() < self.min_chars as usize {
            return Err(WeakPassword::TooShort);
        }
        let lower = password.to_lowercase();
        if repeats(&lower) || is_sequence(&lower) {
            return Err(WeakPassword::Pattern);
        }
        if is_mostly_context(&lower, context) {
            return Err(WeakPassword::Context);
        }
        Ok(())
    }
}

/// A pattern of up to four characters that fills the whole text.
fn repeats(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=4).any(|period| {
        chars
            .iter()
            .zip(chars.iter().skip(period))
            .all(|(a, b)| a == b)
    })
}

/// Each character one above or below the one before it.
fn is_sequence(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    let steps: Vec<i64> = codes
        .iter()
        .zip(codes.iter().skip(1))
        .map(|(a, b)| b - a)
        .collect();
    // A wrap from 9 to 0 or z to a belongs to the sequence.
    let holds = |step: i64| {
        steps
            .iter()
            .all(|s| *s == step || *s == -9 * step || *s == -25 * step)
    };
    holds(1) || holds(-1)
}

/// With the account's words taken out, fewer than eight characters are left.
fn is_mostly_context(lower: &str, context: &[&str]) -> bool {
    let words = context
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.chars().count() >= 3)
        .map(str::to_lowercase);
    let mut rest = lower.to_owned();
    for word in words {
        rest = rest.replace(&word, "");
    }
    rest != lower && rest.chars().count() < 8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), WeakPassword> {
        PasswordPolicy::default().check(
            &password.into(),
            &["Ada Lovelace", "ada@example.org", "acme"],
        )
    }

    #[test]
    fn length_is_counted_in_characters_and_bounded_in_bytes() {
        assert_eq!(check("vier Elefanten"), Err(WeakPassword::TooShort));
        assert_eq!(check("vier Elefanten!"), Ok(()));
        assert_eq!(check("éàüöçéàüöçéàüöx"), Ok(()));
        assert_eq!(check(&"q w".repeat(400)), Err(WeakPassword::TooLong));
    }

    #[test]
    fn repetition_sequence_and_context_are_no_passwords() {
        for bad in [
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "abcdefghijklmnopq",
            "9876543210987654",
        ] {
            assert_eq!(check(bad), Err(WeakPassword::Pattern), "{bad}");
        }
        assert_eq!(check("AdaLovelaceAcme2026"), Err(WeakPassword::Context));
        assert_eq!(check("correct horse battery"), Ok(()));
    }
}
