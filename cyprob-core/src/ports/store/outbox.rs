//! Events on their way to the log.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::EventId;
use crate::domain::audit::AuditEvent;

/// Events that are committed and not yet placed in the log.
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// Records events that go with no change, such as a refusal.
    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// Up to `limit` events, in the order in which they were recorded.
    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, StoreError>;

    /// Takes placed events out. An unknown id changes nothing.
    async fn discard(&self, events: &[EventId]) -> Result<(), StoreError>;
}
