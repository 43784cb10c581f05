//! What people must be told of, whatever fails: made from the event of the change.

use super::audit::{Action, AuditEvent, MetaValue, Outcome};
use super::{EmailChangeId, EventId, Timestamp, UserId};

/// What a notice tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// The password was changed.
    PasswordChanged,
    /// The second factor was changed, or one of its recovery codes was used or replaced.
    FactorChanged,
    /// The account was switched off.
    AccountDisabled,
    /// A sign-in from a device or network that the account had not seen.
    NewDevice,
    /// The address was changed; the one before is told.
    EmailChanged(EmailChangeId),
}

impl NoticeKind {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordChanged => "password_changed",
            Self::FactorChanged => "factor_changed",
            Self::AccountDisabled => "account_disabled",
            Self::NewDevice => "new_device",
            Self::EmailChanged(_) => "email_changed",
        }
    }

    /// Reads a stored name; `change` is the change of address that it names, if any.
    #[must_use]
    pub fn read(name: &str, change: Option<EmailChangeId>) -> Option<Self> {
        match (name, change) {
            ("password_changed", None) => Some(Self::PasswordChanged),
            ("factor_changed", None) => Some(Self::FactorChanged),
            ("account_disabled", None) => Some(Self::AccountDisabled),
            ("new_device", None) => Some(Self::NewDevice),
            ("email_changed", Some(change)) => Some(Self::EmailChanged(change)),
            _ => None,
        }
    }

    /// The change of address that it is about, if any.
    #[must_use]
    pub const fn change(self) -> Option<EmailChangeId> {
        match self {
            Self::EmailChanged(change) => Some(change),
            _ => None,
        }
    }
}

/// A notice that waits to be sent. It holds no address and no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The id of the event that it tells of.
    pub id: EventId,
    /// Whom.
    pub user: UserId,
    /// Of what.
    pub kind: NoticeKind,
    /// When that happened.
    pub at: Timestamp,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
}

/// The field of a `session.opened` event that says that the client was not known.
pub const NEW_DEVICE: &str = "new_device";
/// The field of a `user.email_changed` event that names the change.
pub const EMAIL_CHANGE: &str = "email_change";

fn public<'a>(event: &'a AuditEvent, field: &str) -> Option<&'a str> {
    match event.metadata.get(field) {
        Some(MetaValue::Public { value }) => Some(value),
        _ => None,
    }
}

impl Notice {
    /// The notice that an event calls for, if any. Stores keep it in the transaction of the event.
    #[must_use]
    pub fn of(event: &AuditEvent) -> Option<Self> {
        if event.outcome != Outcome::Success {
            return None;
        }
        let kind = match event.action {
            Action::PasswordChanged | Action::PasswordReset => NoticeKind::PasswordChanged,
            Action::FactorActivated
            | Action::FactorRemoved
            | Action::FactorReset
            | Action::RecoveryCodeUsed
            | Action::RecoveryCodesReplaced => NoticeKind::FactorChanged,
            Action::UserDisabled => NoticeKind::AccountDisabled,
            Action::SessionOpened => {
                public(event, NEW_DEVICE)?;
                NoticeKind::NewDevice
            }
            Action::EmailChanged => {
                NoticeKind::EmailChanged(public(event, EMAIL_CHANGE)?.parse().ok()?)
            }
            _ => return None,
        };
        let user = match event.resource.kind.as_str() {
            "user" => event.resource.id.parse().ok()?,
            _ => event.actor.user()?,
        };
        Some(Self {
            id: event.id,
            user,
            kind,
            at: event.at,
            due_at: event.at,
            attempts: 0,
        })
    }
}
