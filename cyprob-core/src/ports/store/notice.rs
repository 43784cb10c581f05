//! Notices on their way to people.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{EventId, Notice, Timestamp};

/// Notices that wait. Every method that records an event stores
/// [the notice it calls for](Notice::of) in the same step.
#[async_trait]
pub trait NoticeStore: Debug + Send + Sync + 'static {
    /// Up to `limit` notices that are due, the longest due first.
    async fn due_notices(&self, at: Timestamp, limit: u8) -> Result<Vec<Notice>, StoreError>;

    /// Takes a notice for oneself: it is tried again at `next`, and its attempts grow by one.
    ///
    /// Returns `false`, and changes nothing, if somebody else took it since it was read.
    async fn claim_notice(&self, notice: &Notice, next: Timestamp) -> Result<bool, StoreError>;

    /// Takes a notice out: it was sent, or never will be. An unknown id changes nothing.
    async fn drop_notice(&self, id: EventId) -> Result<(), StoreError>;
}
