//! Recorders of refusals.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;

use crate::ports::{DenialRecorder, RecordError};

/// Keeps what it is told.
#[derive(Debug, Default)]
pub struct MemoryDenials(Mutex<Vec<AuditEvent>>);

impl MemoryDenials {
    /// What it was told so far.
    #[must_use]
    pub fn events(&self) -> Vec<AuditEvent> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[async_trait]
impl DenialRecorder for MemoryDenials {
    async fn record(&self, event: AuditEvent) -> Result<(), RecordError> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
        Ok(())
    }
}

/// Takes nothing.
#[derive(Debug, Default)]
pub struct BrokenDenials;

#[async_trait]
impl DenialRecorder for BrokenDenials {
    async fn record(&self, _: AuditEvent) -> Result<(), RecordError> {
        Err(RecordError::new("the trail is full"))
    }
}
