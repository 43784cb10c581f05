//! The change of an account's address, until it is shown that its holder reads it.

use super::{Email, EmailChangeId, Epoch, Timestamp, UserId};

/// A change of an account's address that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailChange {
    /// Its id.
    pub id: EmailChangeId,
    /// Whose.
    pub user: UserId,
    /// The address when it was asked for.
    pub from: Email,
    /// The address to come; the same where it only was never verified.
    pub to: Email,
    /// The person's epoch when it was asked for; another one voids it.
    pub epoch: Epoch,
    /// Until when its token is good.
    pub expires_at: Timestamp,
}

impl EmailChange {
    /// Whether the address stays and is only shown to be the person's.
    #[must_use]
    pub fn only_verifies(&self) -> bool {
        self.from == self.to
    }
}
