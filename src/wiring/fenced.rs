//! Files that only the leader writes.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use cyprob_audit::domain::{LogId, TileFile};
use cyprob_audit::ports::{Publication, TileSink, TileSinkError};
use cyprob_core::ports::Term;

/// Asks before each write whether this process still leads.
#[derive(Debug)]
pub(crate) struct Fenced {
    sink: Arc<dyn TileSink>,
    term: RwLock<Option<Arc<dyn Term>>>,
}

/// Another process may write now.
#[derive(Debug, thiserror::Error)]
#[error("this process does not lead")]
struct NotLeading;

impl Fenced {
    /// A sink that takes nothing until this process leads.
    pub(crate) fn new(sink: Arc<dyn TileSink>) -> Self {
        Self {
            sink,
            term: RwLock::default(),
        }
    }

    /// Takes files during this term, and none without one.
    pub(crate) fn hold(&self, term: Option<Arc<dyn Term>>) {
        *self.term.write().unwrap_or_else(PoisonError::into_inner) = term;
    }

    /// Whether a term was given that nobody took back.
    pub(crate) fn is_held(&self) -> bool {
        self.term().is_some()
    }

    fn term(&self) -> Option<Arc<dyn Term>> {
        let term = self.term.read().unwrap_or_else(PoisonError::into_inner);
        term.clone()
    }

    async fn ask(&self, log: LogId) -> Result<(), TileSinkError> {
        match self.term() {
            Some(term) if term.lasts().await => Ok(()),
            _ => Err(TileSinkError::Unavailable {
                log,
                source: Box::new(NotLeading),
            }),
        }
    }
}

#[async_trait]
impl TileSink for Fenced {
    fn reopen(&self) {
        self.sink.reopen();
    }

    async fn checkpoint(&self, log: LogId) -> Result<Option<Vec<u8>>, TileSinkError> {
        // Looking makes a log's directory and takes away what an interrupted write left.
        self.ask(log).await?;
        self.sink.checkpoint(log).await
    }

    async fn stage(&self, log: LogId, files: Vec<TileFile>) -> Result<Publication, TileSinkError> {
        self.ask(log).await?;
        self.sink.stage(log, files).await
    }

    async fn publish(
        &self,
        log: LogId,
        files: Vec<TileFile>,
        checkpoint: Vec<u8>,
    ) -> Result<Publication, TileSinkError> {
        self.ask(log).await?;
        self.sink.publish(log, files, checkpoint).await
    }
}
