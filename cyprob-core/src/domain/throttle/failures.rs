//! Counters of failures.

use super::Subject;
use crate::domain::audit::AuditEvent;
use crate::domain::{Timestamp, UserId};

/// What failed; each kind is counted apart, and success in one forgives nothing of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// A password.
    Password,
    /// A second factor.
    SecondFactor,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Password, Self::SecondFactor];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::SecondFactor => "second_factor",
        }
    }
}

/// Which counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FailureKey {
    /// Of whom.
    pub subject: Subject,
    /// Of what.
    pub kind: FailureKind,
}

/// What a counter says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many, one after the other without a success.
    pub count: u32,
    /// When the last one was.
    pub last: Option<Timestamp>,
}

/// What one node counted since it last told the store.
#[derive(Clone, Debug)]
pub struct FailureChange {
    /// Which counter.
    pub key: FailureKey,
    /// Whether a success set it to nought before these.
    pub cleared: bool,
    /// How many more.
    pub more: u32,
    /// When the last of them was.
    pub last: Timestamp,
    /// What is recorded, once, if these bring the counter to the bound at which strangers are refused.
    pub at_bound: Option<AuditEvent>,
    /// Whose account it is, where there is one.
    pub user: Option<UserId>,
}
