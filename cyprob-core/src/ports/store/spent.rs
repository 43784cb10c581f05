//! Which uses of tokens are spent.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{Timestamp, UseId, UsedToken};

/// How many spent uses of one token are kept at once, over all that were narrowed from it.
///
/// A holder can narrow a token to ever new words, so this is what bounds the
/// room that one token takes.
pub const MOST_SPENT_USES: usize = 64;

/// Remembers the uses that were taken of tokens that their holders narrowed to a number of uses.
///
/// All that check tokens of one deployment share one. It never forgets a use
/// but in a sweep: one that has no room refuses.
#[async_trait]
pub trait SpentStore: Debug + Send + Sync + 'static {
    /// Takes the first of these uses of a token that is not spent; it is spent as long as it is kept.
    ///
    /// What a request believes the time to be does not matter: a use is kept
    /// until a [sweep](Self::sweep_spent) of `until` or later drops it, and
    /// nothing else changes when that is.
    ///
    /// One atomic step, and durable when it returns: of many that race for one
    /// use, one has it, and of many that race for the last of
    /// [`MOST_SPENT_USES`] as well. A second call takes the next use, so an
    /// answer that was lost is not asked for again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]; a use may have been taken.
    async fn spend(
        &self,
        token: UsedToken,
        uses: &[UseId],
        until: Timestamp,
    ) -> Result<SpendOutcome, StoreError>;

    /// Drops uses whose `until` is this time or before, ten thousand at most; returns how many, nought when none are left.
    ///
    /// A use that was dropped can be taken anew, so whoever asks for this must
    /// refuse the tokens of such uses from before it asks, by more than a clock
    /// that can be set back.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]; uses may have been dropped.
    async fn sweep_spent(&self, up_to: Timestamp) -> Result<u64, StoreError>;
}

/// What came of spending a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpendOutcome {
    /// This one was taken.
    Taken(UseId),
    /// All are spent, and nothing changed.
    AllSpent,
    /// Not all are spent, but [`MOST_SPENT_USES`] of the token are; nothing changed.
    TooMany,
}
