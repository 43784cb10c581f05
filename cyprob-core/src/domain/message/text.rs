//! The words: plain, short, the same for everybody.

use secrecy::{ExposeSecret, SecretString};

use super::Message;
use crate::domain::{BaseUrl, Timestamp};

/// A message as it is read. The text may hold a token.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The subject: one line of ASCII.
    pub subject: &'static str,
    /// The text: lines of ASCII that end in a line feed.
    pub text: SecretString,
}

fn with_link(before: &str, link: &SecretString, until: Timestamp, after: &str) -> SecretString {
    let link = link.expose_secret();
    format!("{before}\n\n{link}\n\nThe address is good once, until {until}.\n\n{after}\n").into()
}

impl Message {
    /// Writes the message for people; links begin with `base`.
    #[must_use]
    pub fn letter(&self, base: &BaseUrl) -> Letter {
        let told = |what: &str, at: &Timestamp| -> SecretString {
            format!(
                "{what} Time: {at}.\n\nIf it was not you, set a new password at once and tell \
                 your administrator:\n\n{base}\n"
            )
            .into()
        };
        match self {
            Self::PasswordReset { token, expires_at } => Letter {
                subject: "Set a new password",
                text: with_link(
                    "Somebody, perhaps you, asked to set a new password for your account. Open \
                     this address to choose one:",
                    &base.link("password-reset", token),
                    *expires_at,
                    "If it was not you, do nothing: your password stays as it is.",
                ),
            },
            Self::EmailConfirmation { token, expires_at } => Letter {
                subject: "Confirm your address",
                text: with_link(
                    "Open this address to confirm that you receive mail here:",
                    &base.link("email-change", token),
                    *expires_at,
                    "If you have no account with us, do nothing: nothing changes.",
                ),
            },
            Self::EmailChanged {
                objection,
                expires_at,
            } => Letter {
                subject: "The address of your account was changed",
                text: with_link(
                    "The address of your account was changed to another one. If it was not you, \
                     open this address to take the change back, end all sessions and void the \
                     password:",
                    &base.link("email-objection", objection),
                    *expires_at,
                    "If it was you, do nothing.",
                ),
            },
            Self::NewDevice { at } => Letter {
                subject: "A sign-in from a new device",
                text: told(
                    "Your account was opened from a device or network that it had not been \
                     opened from before.",
                    at,
                ),
            },
            Self::PasswordChanged { at } => Letter {
                subject: "Your password was changed",
                text: told("The password of your account was changed.", at),
            },
            Self::FactorChanged { at } => Letter {
                subject: "Your second factor was changed",
                text: told(
                    "The second factor of your account was changed, or one of its recovery \
                     codes was used.",
                    at,
                ),
            },
            Self::AccountDisabled { at } => Letter {
                subject: "Your account was switched off",
                text: format!(
                    "Your account was switched off by an administrator. Time: {at}.\n\nAll \
                     sessions ended. Ask your administrator for the reason.\n"
                )
                .into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(token: &SecretString) -> Vec<Message> {
        let (token, at) = (token.clone(), Timestamp::from_seconds(1_767_225_600));
        let (again, third) = (token.clone(), token.clone());
        vec![
            Message::PasswordReset {
                token,
                expires_at: at,
            },
            Message::EmailConfirmation {
                token: again,
                expires_at: at,
            },
            Message::EmailChanged {
                objection: third,
                expires_at: at,
            },
            Message::NewDevice { at },
            Message::PasswordChanged { at },
            Message::FactorChanged { at },
            Message::AccountDisabled { at },
        ]
    }

    #[test]
    fn every_letter_is_plain_and_short() {
        let base: BaseUrl = "https://id.example.org".parse().unwrap();
        let token: SecretString = "canary-token".to_owned().into();
        for message in all(&token) {
            let letter = message.letter(&base);
            let text = letter.text.expose_secret();
            let line = |c: char| c.is_ascii_graphic() || c == ' ';
            assert!(letter.subject.chars().all(line), "{}", letter.subject);
            assert!(text.chars().all(|c| line(c) || c == '\n'), "{text}");
            assert!(text.len() < 700 && text.ends_with('\n'), "{text}");
            let holds = text.contains("=canary-token\n");
            assert_eq!(holds, message.expires_at().is_some(), "{text}");
            for shown in [format!("{message:?}"), format!("{letter:?}")] {
                assert!(!shown.contains("canary"), "{shown}");
            }
        }
    }
}
