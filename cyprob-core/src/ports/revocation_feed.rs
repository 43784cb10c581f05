//! Revocations on their way to those who check tokens.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::Clock;
use crate::domain::{RevocationEntry, Timestamp};

/// Carries revocations to every place that checks access tokens.
///
/// A service calls it after the change is committed and before it returns. In
/// one process the revocation holds when `publish` returns.
pub trait RevocationFeed: Debug + Send + Sync + 'static {
    /// Makes the revocations known. Publishing one twice changes nothing.
    fn publish(&self, entries: &[RevocationEntry]);

    /// Says that everything revoked before a time, by any process, was published.
    ///
    /// The time is by the clock of the process that checks tokens. In one
    /// process nobody has to say so.
    fn caught_up(&self, as_of: Timestamp);
}

/// Hears of what other processes revoke.
#[async_trait]
pub trait RevocationSource: Debug + Send + Sync + 'static {
    /// Tells the feed of it, and how late that is by the clock, for ever.
    ///
    /// Dropping the future ends it. While the source is away nothing is told.
    async fn follow(&self, feed: Arc<dyn RevocationFeed>, clock: Arc<dyn Clock>);
}
