//! A person's factor, and one on its way.

use super::{SealedSecret, TotpStep};
use crate::domain::{SessionId, Timestamp, UserId};

/// A second factor in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    /// Whose.
    pub user: UserId,
    /// The secret, sealed under a key that the database does not have.
    pub secret: SealedSecret,
    /// The last accepted step; only later ones are.
    pub last_step: TotpStep,
    /// Since when it is in force.
    pub activated_at: Timestamp,
    /// How many recovery codes are left.
    pub recovery_codes_left: u32,
}

/// A second factor that its owner has yet to show once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorEnrolment {
    /// Whose.
    pub user: UserId,
    /// The session that began it, which alone can end it.
    pub session: SessionId,
    /// The secret, sealed likewise.
    pub secret: SealedSecret,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
}
