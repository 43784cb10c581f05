//! The logs of a deployment below one directory.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::DirectoryLog;
use super::writer::LogWriter;
use crate::domain::{LogId, TileFile};
use crate::ports::{
    LogFiles, Publication, PublishedLogs, PublishedLogsError, TileSink, TileSinkError,
};

/// One log's writer; it is opened at its first use.
type Slot = Arc<Mutex<Option<LogWriter>>>;

/// Publishes each log in a directory of its own: `<base>/system`, `<base>/org_...`.
///
/// Files are for their owner alone (0600, directories 0700). The host sees to
/// it that one process writes at a time, and calls [`TileSink::reopen`] when it
/// was another one. After [`TileSinkError::Poisoned`],
/// [`TileSinkError::Replaced`] or [`TileSinkError::Gone`], look at the
/// directory and make a new sink.
#[derive(Debug)]
pub struct DirectorySink {
    base: PathBuf,
    writers: Mutex<BTreeMap<LogId, Slot>>,
}

impl DirectorySink {
    /// A sink below an existing directory.
    #[must_use]
    pub fn new(base: &Path) -> Self {
        Self {
            base: base.to_owned(),
            writers: Mutex::default(),
        }
    }

    /// The directory of a log, for a verifier.
    #[must_use]
    pub fn path_of(&self, log: LogId) -> PathBuf {
        self.base.join(log.to_string())
    }

    /// Runs blocking work with a log's writer on a thread for such work.
    async fn with_writer<T: Send + 'static>(
        &self,
        log: LogId,
        work: impl FnOnce(&mut LogWriter) -> Result<T, TileSinkError> + Send + 'static,
    ) -> Result<T, TileSinkError> {
        let slot = {
            let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(writers.entry(log).or_default())
        };
        let base = self.base.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            let writer = match slot.take() {
                Some(writer) => writer,
                None => LogWriter::open(&base, log)?,
            };
            work(slot.insert(writer))
        });
        done.await.map_err(|source| TileSinkError::Unavailable {
            log,
            source: Box::new(source),
        })?
    }
}

#[async_trait]
impl TileSink for DirectorySink {
    fn reopen(&self) {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        writers.clear();
    }

    async fn checkpoint(&self, log: LogId) -> Result<Option<Vec<u8>>, TileSinkError> {
        self.with_writer(log, |writer| Ok(writer.checkpoint().map(<[u8]>::to_vec)))
            .await
    }

    async fn stage(&self, log: LogId, files: Vec<TileFile>) -> Result<Publication, TileSinkError> {
        self.with_writer(log, move |writer| writer.publish(&files, None))
            .await
    }

    async fn publish(
        &self,
        log: LogId,
        files: Vec<TileFile>,
        checkpoint: Vec<u8>,
    ) -> Result<Publication, TileSinkError> {
        self.with_writer(log, move |writer| writer.publish(&files, Some(checkpoint)))
            .await
    }
}

impl PublishedLogs for DirectorySink {
    fn open(&self, log: LogId) -> Result<Option<Box<dyn LogFiles + Send>>, PublishedLogsError> {
        match DirectoryLog::open(&self.path_of(log)) {
            Ok(files) => Ok(Some(Box::new(files))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PublishedLogsError {
                log,
                source: error.into(),
            }),
        }
    }
}
