//! Publishing a log's files.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::domain::{LogFile, LogId, TileFile};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a publication did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TileSinkError {
    /// A file is not the one that was written: somebody replaced or removed it.
    #[error("file {file} of log {log} was replaced or removed")]
    Replaced {
        /// The log.
        log: LogId,
        /// The file.
        file: LogFile,
    },
    /// The log's directory was moved away or replaced.
    #[error("the directory of log {log} was replaced or removed")]
    Gone {
        /// The log.
        log: LogId,
    },
    /// A sync failed earlier: what is on the disk is unknown until the sink is opened anew.
    #[error("log {log} takes no more until it is opened anew")]
    Poisoned {
        /// The log.
        log: LogId,
    },
    /// There is no room; the old files are whole and publishing again may succeed.
    #[error("no room to publish log {log}")]
    NoSpace {
        /// The log.
        log: LogId,
    },
    /// The backend failed.
    #[error("log {log} cannot be published")]
    Unavailable {
        /// The log.
        log: LogId,
        /// Why.
        #[source]
        source: BoxError,
    },
}

/// What a publication did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// Files written.
    pub written: u64,
    /// Files that were there already, with the same bytes.
    pub present: u64,
    /// Files that were there with other bytes and were put right: torn by a
    /// crash, or tampered with beyond the last checkpoint.
    pub repaired: u64,
}

/// Takes the files of a deployment's logs to where verifiers read them.
#[async_trait]
pub trait TileSink: Debug + Send + Sync + 'static {
    /// Forgets what it knows of the files: another process may have written since.
    ///
    /// What it knew of a failure goes with it.
    fn reopen(&self);

    /// The checkpoint that is published; `None` for a log without one.
    async fn checkpoint(&self, log: LogId) -> Result<Option<Vec<u8>>, TileSinkError>;

    /// Writes files, durable when it returns, that a later checkpoint will need.
    ///
    /// For catching up with a long log in pieces; verifiers see them as
    /// lying beyond the checkpoint until the next publication.
    async fn stage(&self, log: LogId, files: Vec<TileFile>) -> Result<Publication, TileSinkError>;

    /// Publishes files and then the checkpoint that needs them, all durable when it returns.
    ///
    /// The caller is the only writer, gives every file that the new
    /// checkpoint needs and the published one did not, and never a checkpoint
    /// of a smaller tree. Repeating a call after an error or a crash is safe.
    async fn publish(
        &self,
        log: LogId,
        files: Vec<TileFile>,
        checkpoint: Vec<u8>,
    ) -> Result<Publication, TileSinkError>;
}
