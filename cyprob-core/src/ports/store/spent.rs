//! Which uses of tokens are spent.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{Timestamp, UseId};

/// Remembers the uses that were taken of tokens that their holders narrowed to a number of uses.
///
/// All that check tokens of one deployment share one. It never forgets a use
/// before its time: one that has no room refuses.
#[async_trait]
pub trait SpentStore: Debug + Send + Sync + 'static {
    /// Takes the first of these uses that is not spent; it is spent while `at < until` then.
    ///
    /// One atomic step, and durable when it returns: of many that race for one
    /// use, one has it. A second call takes the next use, so an answer that was
    /// lost is not asked for again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]; a use may have been taken.
    async fn spend(
        &self,
        uses: &[UseId],
        until: Timestamp,
        at: Timestamp,
    ) -> Result<SpendOutcome, StoreError>;

    /// Drops uses whose time is over, ten thousand at most; returns how many, nought when none are left.
    async fn sweep_spent(&self, at: Timestamp) -> Result<u64, StoreError>;
}

/// What came of spending a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpendOutcome {
    /// This one was taken.
    Taken(UseId),
    /// All are spent, and nothing changed.
    AllSpent,
}
