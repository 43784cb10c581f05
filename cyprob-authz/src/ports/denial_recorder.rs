//! Where refused requests are recorded.

use std::error::Error;
use std::fmt::Debug;

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;

/// The refusal could not be recorded.
#[derive(Debug, thiserror::Error)]
#[error("the audit trail takes no events")]
pub struct RecordError {
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl RecordError {
    /// Wraps the cause, which goes to the log only.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: source.into(),
        }
    }
}

/// Records that a signed-in caller was refused.
///
/// The answer goes out only after this returns; if it fails the client is told
/// `unavailable`, so that nobody probes unseen.
#[async_trait]
pub trait DenialRecorder: Debug + Send + Sync + 'static {
    /// Makes the event durable in the trail.
    ///
    /// # Errors
    ///
    /// [`RecordError`] if it may be lost.
    async fn record(&self, event: AuditEvent) -> Result<(), RecordError>;
}
