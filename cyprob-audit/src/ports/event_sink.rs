//! Where placed events are delivered beside the log.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::domain::LogId;

/// A sink did not take what it was given; it is offered again.
#[derive(Debug, thiserror::Error)]
#[error("the sink did not take events of log {log}")]
pub struct EventSinkError {
    /// The log.
    pub log: LogId,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Takes the events of each log in the order of their indexes, at least once.
///
/// The sink keeps its own place in each log. A line that comes twice has the
/// same `dedupe_id`: the log's origin and the index.
#[async_trait]
pub trait EventSink: Debug + Send + Sync + 'static {
    /// The index after the last one that was durably delivered.
    async fn next(&self, log: LogId) -> Result<u64, EventSinkError>;

    /// Delivers the lines of the entries from `first` on; durable when it returns.
    async fn deliver(
        &self,
        log: LogId,
        first: u64,
        lines: Vec<Vec<u8>>,
    ) -> Result<(), EventSinkError>;
}
