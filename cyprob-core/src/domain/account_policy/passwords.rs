//! What a new password must be.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::setting::settings;
use crate::domain::password::{is_common, is_pattern};
use crate::domain::{ContextWords, PasswordRole, WeakPassword};

settings! {
    /// What a new password must be (ASVS 5.0, 6.2): long and not what others try first; nothing is asked of its composition.
    PasswordPolicy {
        /// Fewest characters of a password that is the only factor: 15 to 64, 15 by default (NIST SP 800-63B-4, 3.1.1.2).
        min_chars / with_min_chars: u32 = 15, within 15, 64, "password_min_chars";
        /// Fewest characters of a password beside a second factor: 8 to 64, 8 by default.
        min_chars_with_factor / with_min_chars_with_factor: u32 = 8, within 8, 64, "password_min_chars_with_factor";
    }
    {
        words: ContextWords;
    }
}

impl PasswordPolicy {
    /// The longest password, in bytes, exactly as received.
    pub const MAX_BYTES: usize = 1024;

    /// Adds words that describe every account, such as the product's and the company's name.
    #[must_use]
    pub fn with_context(mut self, text: &str) -> Self {
        self.words.add(text);
        self
    }

    /// Says whether a new password is accepted for an account that these words describe.
    ///
    /// The host's words count too. Passwords that were disclosed are looked up
    /// elsewhere, for that needs a file. The password is taken exactly as
    /// received: nothing is cut, trimmed or normalized, and each case is its own.
    ///
    /// # Errors
    ///
    /// [`WeakPassword`] with the first rule that it breaks.
    pub fn check(
        &self,
        password: &SecretString,
        words: &ContextWords,
        role: PasswordRole,
    ) -> Result<(), WeakPassword> {
        let password = password.expose_secret();
        if password.len() > Self::MAX_BYTES {
            return Err(WeakPassword::TooLong);
        }
        let min = self.min_chars_as(role);
        if password.chars().count() < min {
            return Err(WeakPassword::TooShort);
        }
        let lower = Zeroizing::new(password.to_lowercase());
        let chars: Zeroizing<Vec<char>> = Zeroizing::new(lower.chars().collect());
        if is_pattern(&chars, min) {
            return Err(WeakPassword::Pattern);
        }
        let mut all = self.words.clone();
        all.extend(words);
        if all.make_up(&chars) {
            return Err(WeakPassword::Context);
        }
        if is_common(&lower) {
            return Err(WeakPassword::Common);
        }
        Ok(())
    }

    fn min_chars_as(&self, role: PasswordRole) -> usize {
        let min = match role {
            PasswordRole::Alone => self.min_chars,
            PasswordRole::BesideSecondFactor => self.min_chars_with_factor,
        };
        usize::try_from(min).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests;
