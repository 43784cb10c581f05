//! Events on their way to the log.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{EventId, OrgId};

/// Events that are committed and not yet placed in the log.
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// Records events that go with no change, such as a refusal.
    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// Up to `limit` events, in the order in which they were recorded.
    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, StoreError>;

    /// Up to `limit` events of one organization's log, or of the system's, the newest first.
    ///
    /// With `from`, that event and older ones; nothing if it does not wait for this log.
    async fn waiting(
        &self,
        org: Option<OrgId>,
        from: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError>;

    /// Takes placed events out. An unknown id changes nothing.
    async fn discard(&self, events: &[EventId]) -> Result<(), StoreError>;
}
