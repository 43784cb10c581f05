//! What people are told by mail.

mod text;

use secrecy::SecretString;

use super::{Email, EventId, Timestamp, UserId};

pub use text::Letter;

/// A message. The list is closed, and no message holds text that anyone else chose.
#[derive(Clone, Debug)]
pub enum Message {
    /// The token that sets a new password.
    PasswordReset {
        /// Good once.
        token: SecretString,
        /// Until when it is good.
        expires_at: Timestamp,
    },
    /// To a new address: the token that shows that it is the person's.
    EmailConfirmation {
        /// Good once.
        token: SecretString,
        /// Until when it is good.
        expires_at: Timestamp,
    },
    /// To the address of before: it is replaced, and how to object.
    EmailChanged {
        /// Takes the change back; good once.
        objection: SecretString,
        /// Until when it is good.
        expires_at: Timestamp,
    },
    /// The account was opened from a device or network that it had not been opened from.
    NewDevice {
        /// When.
        at: Timestamp,
    },
    /// The password was changed.
    PasswordChanged {
        /// When.
        at: Timestamp,
    },
    /// The second factor was added, changed or removed, or one of its recovery codes was used.
    FactorChanged {
        /// When.
        at: Timestamp,
    },
    /// The account was switched off.
    AccountDisabled {
        /// When.
        at: Timestamp,
    },
}

impl Message {
    /// The kind's stable name, for logs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::PasswordReset { .. } => "password_reset",
            Self::EmailConfirmation { .. } => "email_confirmation",
            Self::EmailChanged { .. } => "email_changed",
            Self::NewDevice { .. } => "new_device",
            Self::PasswordChanged { .. } => "password_changed",
            Self::FactorChanged { .. } => "factor_changed",
            Self::AccountDisabled { .. } => "account_disabled",
        }
    }

    /// Until when it is of use, if it has a token.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::PasswordReset { expires_at, .. }
            | Self::EmailConfirmation { expires_at, .. }
            | Self::EmailChanged { expires_at, .. } => Some(*expires_at),
            Self::NewDevice { .. }
            | Self::PasswordChanged { .. }
            | Self::FactorChanged { .. }
            | Self::AccountDisabled { .. } => None,
        }
    }
}

/// A message with its address.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Its own id: that of the event it tells of. One that is sent twice has it twice.
    pub id: EventId,
    /// The person it is about.
    pub user: UserId,
    /// Where it goes.
    pub to: Email,
    /// What it says.
    pub message: Message,
}
