//! Reading what was published, to prove entries under its checkpoint.

use std::fmt::Debug;

use super::LogFiles;
use crate::domain::LogId;

/// A log cannot be opened where it is published.
#[derive(Debug, thiserror::Error)]
#[error("log {log} cannot be read where it is published")]
pub struct PublishedLogsError {
    /// The log.
    pub log: LogId,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Opens a deployment's logs where they are published.
///
/// The call may block; services make it on a thread for such work.
pub trait PublishedLogs: Debug + Send + Sync + 'static {
    /// The files of a log; `None` for one of which nothing is published.
    ///
    /// # Errors
    ///
    /// [`PublishedLogsError`] if the place cannot be read.
    fn open(&self, log: LogId) -> Result<Option<Box<dyn LogFiles + Send>>, PublishedLogsError>;
}
