//! Refusals of signed-in callers, on their way into the audit outbox.

use std::sync::Arc;

use async_trait::async_trait;
use cyprob_authz::ports::{DenialRecorder, RecordError};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::ports::store::IdentityStore;

/// Commits each refusal in a transaction of its own.
#[derive(Debug)]
pub(crate) struct OutboxDenials(pub(crate) Arc<dyn IdentityStore>);

#[async_trait]
impl DenialRecorder for OutboxDenials {
    async fn record(&self, event: AuditEvent) -> Result<(), RecordError> {
        self.0.record(&[event]).await.map_err(RecordError::new)
    }
}
