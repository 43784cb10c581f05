//! Epochs: counters that end tokens.

use serde::{Deserialize, Serialize};

/// A counter that only grows; a token that carries an older one is refused.
///
/// There are two. A person's own epoch grows when the password or a factor
/// changes or the account is disabled, and ends all of the person's sessions. A
/// membership's epoch grows when the role changes or the membership ends, and
/// ends that organization's tokens alone.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch of a thing just made.
    pub const FIRST: Self = Self(1);

    /// Makes an epoch from a stored number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number that is stored.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The epoch that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
