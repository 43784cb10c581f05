//! Passwords: what is accepted, and the form in which they are stored.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A stored password: a PHC string, which the hasher alone can read.
///
/// Neither `Debug` nor `Display` shows it.
#[derive(Clone)]
pub struct PasswordHash(SecretString);

impl PasswordHash {
    /// Takes a PHC string from the hasher or the store.
    #[must_use]
    pub fn from_phc(phc: String) -> Self {
        Self(phc.into())
    }

    /// The PHC string.
    #[must_use]
    pub fn expose_phc(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum WeakPassword {
    /// Too few characters.
    #[error("shorter than the policy's minimum")]
    TooShort,
    /// Too many bytes.
    #[error("longer than 1024 bytes")]
    TooLong,
    /// One character or short pattern over and over, or a run along the alphabet or the digits.
    #[error("a repetition or a sequence")]
    Pattern,
    /// The person's own name or address, or the organization's, makes up most of it.
    #[error("built from the name or address of the account")]
    Context,
}

impl WeakPassword {
    /// The stable name in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Pattern => "pattern",
            Self::Context => "context",
        }
    }
}

/// What a new password must be (ASVS 5.0, 6.2): long; nothing is asked of its composition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    min_chars: usize,
}

impl PasswordPolicy {
    /// The longest password, in bytes, exactly as received.
    pub const MAX_BYTES: usize = 1024;
    /// Fewest characters of a password that is the only factor.
    pub const MIN_CHARS: usize = 15;

    /// A policy that asks for more characters than the floor of 15.
    #[must_use]
    pub fn with_min_chars(min_chars: usize) -> Self {
        Self {
            min_chars: min_chars.clamp(Self::MIN_CHARS, 128),
        }
    }

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
        if password.chars().count() < self.min_chars {
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

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            min_chars: Self::MIN_CHARS,
        }
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
