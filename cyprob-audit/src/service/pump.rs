//! From the logs to a sink, outside of every request.

use std::sync::Arc;

use serde::Serialize;

use super::{AuditTrail, TrailError, TrailRecord};
use crate::domain::{LogId, Origins};
use crate::ports::{EventSink, EventSinkError, LogStore, LogStoreError};

/// Entries that are delivered at once.
const BATCH: usize = 256;

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PumpError {
    /// The logs cannot be listed.
    #[error("the audit log's store failed")]
    Store(#[from] LogStoreError),
    /// A log cannot be read.
    #[error("a log cannot be read for its sink")]
    Trail(#[from] TrailError),
    /// The sink failed.
    #[error(transparent)]
    Sink(#[from] EventSinkError),
    /// An item has no JSON form.
    #[error("an item has no JSON form")]
    Json(#[from] serde_json::Error),
}

/// Delivers what a sink does not have yet.
#[derive(Debug)]
pub struct SinkPump {
    store: Arc<dyn LogStore>,
    trail: AuditTrail,
    origins: Origins,
    sink: Arc<dyn EventSink>,
}

/// A record with the id by which a receiver knows it again.
#[derive(Serialize)]
struct Line {
    dedupe_id: String,
    #[serde(flatten)]
    record: TrailRecord,
}

impl SinkPump {
    /// A pump of every log of a deployment.
    #[must_use]
    pub fn new(
        store: Arc<dyn LogStore>,
        trail: AuditTrail,
        origins: Origins,
        sink: Arc<dyn EventSink>,
    ) -> Self {
        Self {
            store,
            trail,
            origins,
            sink,
        }
    }

    /// Delivers everything that is placed now; gives the number of events.
    ///
    /// A log that cannot be delivered keeps no other from it.
    ///
    /// # Errors
    ///
    /// The first [`PumpError`]; calling again goes on where it stopped.
    pub async fn round(&self) -> Result<u64, PumpError> {
        let (mut delivered, mut result) = (0, Ok(()));
        for log in self.store.logs().await? {
            match self.log(log).await {
                Ok(count) => delivered += count,
                Err(error) => result = result.and(Err(error)),
            }
        }
        result.map(|()| delivered)
    }

    async fn log(&self, log: LogId) -> Result<u64, PumpError> {
        let begun = self.sink.next(log).await?;
        let size = self.store.size(log).await?;
        let mut next = begun;
        while next < size {
            let room = usize::try_from(size - next).unwrap_or(BATCH).min(BATCH);
            let items = self.trail.of_log(log).from(next, room).await?;
            if items.is_empty() {
                break;
            }
            let mut lines = Vec::with_capacity(items.len());
            for (index, item) in (next..).zip(items) {
                let dedupe_id = format!("{}/{log}#{index}", self.origins.deployment());
                let line = Line {
                    dedupe_id,
                    record: TrailRecord::of(item),
                };
                lines.push(serde_json::to_vec(&line)?);
            }
            let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
            self.sink.deliver(log, next, lines).await?;
            next += count;
        }
        Ok(next - begun)
    }
}
