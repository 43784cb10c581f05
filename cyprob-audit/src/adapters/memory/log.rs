//! Logs in memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::domain::{LogFile, LogId, TileFile};
use crate::ports::{
    Found, LogFiles, LogFilesError, Publication, PublishedLogs, PublishedLogsError, TileSink,
    TileSinkError,
};

/// The files of one log in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryLog {
    files: BTreeMap<LogFile, Vec<u8>>,
    strangers: Vec<String>,
}

impl MemoryLog {
    /// Puts a file in, in place of one of the same path.
    pub fn insert(&mut self, file: LogFile, bytes: Vec<u8>) {
        self.files.insert(file, bytes);
    }

    /// Takes a file out.
    pub fn remove(&mut self, file: LogFile) -> Option<Vec<u8>> {
        self.files.remove(&file)
    }

    /// Puts in something that is no file of a log.
    pub fn insert_stranger(&mut self, path: &str) {
        self.strangers.push(path.to_owned());
    }

    /// The bytes of a file.
    #[must_use]
    pub fn get(&self, file: LogFile) -> Option<&[u8]> {
        self.files.get(&file).map(Vec::as_slice)
    }

    /// Every file with its bytes.
    pub fn iter(&self) -> impl Iterator<Item = (LogFile, &[u8])> {
        self.files
            .iter()
            .map(|(file, bytes)| (*file, bytes.as_slice()))
    }
}

impl LogFiles for MemoryLog {
    fn read(&self, file: LogFile, limit: usize) -> Result<Option<Vec<u8>>, LogFilesError> {
        match self.get(file) {
            Some(bytes) if bytes.len() > limit => Err(LogFilesError::TooLong),
            bytes => Ok(bytes.map(<[u8]>::to_vec)),
        }
    }

    fn walk(&self, visit: &mut dyn FnMut(Found) -> ControlFlow<()>) -> Result<(), LogFilesError> {
        let files = self.files.keys().copied().map(Found::File);
        let strangers = self.strangers.iter().cloned().map(Found::Stranger);
        let _ = files.chain(strangers).try_for_each(visit);
        Ok(())
    }
}

/// A sink that keeps every log in memory.
#[derive(Debug, Default)]
pub struct MemorySink {
    logs: Mutex<BTreeMap<LogId, MemoryLog>>,
}

impl MemorySink {
    /// A copy of a log as it is now.
    #[must_use]
    pub fn log(&self, log: LogId) -> Option<MemoryLog> {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.get(&log).cloned()
    }
}

#[async_trait]
impl TileSink for MemorySink {
    fn reopen(&self) {}

    async fn checkpoint(&self, log: LogId) -> Result<Option<Vec<u8>>, TileSinkError> {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(logs
            .get(&log)
            .and_then(|log| log.get(LogFile::Checkpoint))
            .map(<[u8]>::to_vec))
    }

    async fn stage(&self, log: LogId, files: Vec<TileFile>) -> Result<Publication, TileSinkError> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let log = logs.entry(log).or_default();
        let mut publication = Publication::default();
        for TileFile { path, bytes } in files {
            match log.files.insert(LogFile::Tile(path), bytes.clone()) {
                None => publication.written += 1,
                Some(old) if old == bytes => publication.present += 1,
                Some(_) => publication.repaired += 1,
            }
        }
        Ok(publication)
    }

    async fn publish(
        &self,
        log: LogId,
        files: Vec<TileFile>,
        checkpoint: Vec<u8>,
    ) -> Result<Publication, TileSinkError> {
        let publication = self.stage(log, files).await?;
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.entry(log)
            .or_default()
            .insert(LogFile::Checkpoint, checkpoint);
        Ok(publication)
    }
}

impl PublishedLogs for MemorySink {
    fn open(&self, log: LogId) -> Result<Option<Box<dyn LogFiles + Send>>, PublishedLogsError> {
        Ok(self
            .log(log)
            .map(|held| Box::new(held) as Box<dyn LogFiles + Send>))
    }
}
