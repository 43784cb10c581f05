//! Whose failures are counted, without saying whose.

use std::fmt;

use super::DeviceKeys;
use crate::domain::{Email, SessionId};

/// A sign-in name as typed, in the one form that decides which account it reaches.
///
/// Two texts that reach one account are one name: an address is brought to its
/// form, anything else reaches no account and is kept in lower case. `Debug` does
/// not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SignInName {
    text: String,
    email: Option<Email>,
}

/// The longest address; what is longer reaches no account.
const MAX_BYTES: usize = 254;

impl SignInName {
    /// Reads what somebody typed.
    #[must_use]
    pub fn of(typed: &str) -> Self {
        match typed.parse::<Email>() {
            Ok(email) => Self {
                text: email.as_str().to_owned(),
                email: Some(email),
            },
            Err(_) => {
                let end = typed.floor_char_boundary(MAX_BYTES);
                Self {
                    text: typed.get(..end).unwrap_or_default().to_lowercase(),
                    email: None,
                }
            }
        }
    }

    /// The name in its form, for a keyed hash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address, if it is one.
    #[must_use]
    pub const fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }
}

impl From<&Email> for SignInName {
    fn from(email: &Email) -> Self {
        Self {
            text: email.as_str().to_owned(),
            email: Some(email.clone()),
        }
    }
}

impl fmt::Debug for SignInName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInName(…)")
    }
}

/// A keyed hash of an account's name, a device or a session: it stands for them and names none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject([u8; 16]);

impl Subject {
    /// Takes a stored hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whoever signs in under a name, whether there is such an account or not.
    #[must_use]
    pub fn account(keys: &DeviceKeys, name: &SignInName) -> Self {
        Self(keys.hash("account", name.as_str().as_bytes()))
    }

    /// Whoever shows a device's token.
    #[must_use]
    pub fn device(keys: &DeviceKeys, device: &super::DeviceId) -> Self {
        Self(keys.hash("device", device.as_bytes()))
    }

    /// Whoever acts in a session.
    #[must_use]
    pub fn session(keys: &DeviceKeys, session: SessionId) -> Self {
        Self(keys.hash("session", session.as_bytes()))
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(typed: &str) -> Subject {
        let keys = DeviceKeys::new(1, [1; 32]);
        Subject::account(&keys, &SignInName::of(typed))
    }

    #[test]
    fn every_spelling_that_reaches_an_account_is_one_name() {
        for typed in ["ada@example.com", "ADA@EXAMPLE.COM", "aDa@example.com"] {
            assert_eq!(typed.parse::<Email>().unwrap().as_str(), "ada@example.com");
            assert_eq!(subject(typed), subject("ada@example.com"));
        }
        // The Kelvin sign's lower case is a plain k: the same account, so the same name.
        assert_eq!(subject("\u{212a}@example.com"), subject("k@example.com"));
    }

    #[test]
    fn a_spelling_that_reaches_no_account_shares_its_name_with_none() {
        for typed in [
            " ada@example.com",
            "ada@example.com ",
            "ada@example.com\0",
            "\u{ff41}da@example.com",
            "a\u{301}da@example.com",
            "ada@example.com.",
            "ada\u{200b}@example.com",
            "",
        ] {
            assert_ne!(subject(typed), subject("ada@example.com"), "{typed:?}");
        }
    }

    #[test]
    fn a_name_of_any_length_is_read_in_bounded_work() {
        let long = "é".repeat(200_000);
        assert!(SignInName::of(&long).as_str().len() <= MAX_BYTES);
        assert_eq!(subject(&long), subject(&"É".repeat(127)));
    }

    #[test]
    fn a_device_and_a_session_of_the_same_bytes_are_two_subjects() {
        let keys = DeviceKeys::new(1, [1; 32]);
        let session: SessionId = "ses_01a20b02a9c8797b8ebd0672f15f608c".parse().unwrap();
        let device = super::super::DeviceId::from_bytes(*session.as_bytes());
        assert_ne!(
            Subject::session(&keys, session),
            Subject::device(&keys, &device)
        );
        assert_eq!(format!("{:?}", subject("ada@example.com")), "Subject(…)");
    }
}
