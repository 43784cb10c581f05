//! Lines of JSON in a directory, one file for each log, rotated by size.
//!
//! `<log>.jsonl` grows; once it is large it becomes `<log>.<index>.jsonl`, named
//! by the index of the line that comes next. `<log>.cursor` holds that index, so
//! that a file may be taken away. A line is durable before the cursor moves; a
//! torn last line is cut off at the next start.

mod file;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::LogId;
use crate::ports::{EventSink, EventSinkError};

use file::LineFile;

/// When a file is rotated, if nobody says otherwise.
const MAX_BYTES: u64 = 64 << 20;

/// Writes the events of each log to a file of its own, for their owner alone (0600).
#[derive(Clone, Debug)]
pub struct JsonLinesSink {
    place: Arc<Place>,
}

#[derive(Debug)]
struct Place {
    directory: PathBuf,
    max_bytes: u64,
}

impl JsonLinesSink {
    /// A sink in an existing directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self::rotating(directory, MAX_BYTES)
    }

    /// The same, with files of about so many bytes.
    #[must_use]
    pub fn rotating(directory: &Path, max_bytes: u64) -> Self {
        let directory = directory.to_owned();
        Self {
            place: Arc::new(Place {
                directory,
                max_bytes,
            }),
        }
    }

    async fn with_file<T: Send + 'static>(
        &self,
        log: LogId,
        work: impl FnOnce(LineFile<'_>) -> io::Result<T> + Send + 'static,
    ) -> Result<T, EventSinkError> {
        let place = Arc::clone(&self.place);
        let done = tokio::task::spawn_blocking(move || {
            work(LineFile::of(
                &place.directory,
                &log.to_string(),
                place.max_bytes,
            ))
        });
        let failed = |source| EventSinkError { log, source };
        match done.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(failed(error.into())),
            Err(error) => Err(failed(error.into())),
        }
    }
}

#[async_trait]
impl EventSink for JsonLinesSink {
    async fn next(&self, log: LogId) -> Result<u64, EventSinkError> {
        self.with_file(log, |file| file.recover()).await
    }

    async fn deliver(
        &self,
        log: LogId,
        first: u64,
        lines: Vec<Vec<u8>>,
    ) -> Result<(), EventSinkError> {
        self.with_file(log, move |file| file.append(first, &lines))
            .await
    }
}
