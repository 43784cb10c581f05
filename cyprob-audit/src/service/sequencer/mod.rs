//! The one writer of the logs: takes committed events, gives them their
//! indexes, signs heads and publishes.
//!
//! Three steps, each of which may be the last before a crash. *Place*: events
//! leave the outbox and get indexes, in one transaction. *Sign*: a larger head
//! is recorded before anyone sees it. *Publish*: files, then the checkpoint.
//! The next run finds what is missing and goes on; it never signs a second
//! head of a size, nor a smaller one.

mod place;
mod publish;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use cyprob_core::ports::Clock;
use secrecy::SecretBox;
use tokio::sync::Mutex;

use crate::domain::{CheckpointError, LogId, LogSigner, Origins, SealError, TreeTail};
use crate::ports::{
    LogStore, LogStoreError, SubjectKeyStoreError, SubjectKeys, TileSink, TileSinkError,
};

/// Why the sequencer cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequencerError {
    /// The store failed; try again.
    #[error("the audit log's store failed")]
    Store(#[source] LogStoreError),
    /// The keys of subjects cannot be had; try again.
    #[error("the subject keys cannot be had")]
    Keys(#[source] SubjectKeyStoreError),
    /// The files cannot be written.
    #[error("the audit log cannot be published")]
    Sink(#[source] TileSinkError),
    /// An event cannot become a leaf.
    #[error("an event cannot become a leaf")]
    Seal(#[source] SealError),
    /// Another sequencer is at work.
    #[error("another sequencer is at work")]
    NotAlone,
    /// What is published was not signed by this deployment's key.
    #[error("the published checkpoint of log {log} is not ours")]
    Foreign {
        /// The log.
        log: LogId,
        /// Why.
        #[source]
        source: CheckpointError,
    },
    /// More is published than the store knows: the store is an older copy.
    #[error(
        "the store is older than the published log {log}: bring back the store that belongs to it, or keep the published files elsewhere"
    )]
    RolledBack {
        /// The log.
        log: LogId,
    },
    /// The store's entries do not give the head that was signed over them, or
    /// another head of the same size is published.
    #[error("the entries of log {log} are not those that were signed")]
    Diverged {
        /// The log.
        log: LogId,
    },
}

impl SequencerError {
    /// Whether trying again cannot help: the store and what is published do not belong together.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Foreign { .. } | Self::RolledBack { .. } | Self::Diverged { .. }
        )
    }
}

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Events that got their indexes.
    pub placed: usize,
    /// Whether the outbox may hold more.
    pub more: bool,
}

/// Places, signs and publishes; one at a time for a deployment.
pub struct Sequencer {
    store: Arc<dyn LogStore>,
    keys: Arc<dyn SubjectKeys>,
    sink: Arc<dyn TileSink>,
    clock: Arc<dyn Clock>,
    origins: Origins,
    seed: SecretBox<[u8; 32]>,
    state: Mutex<State>,
}

/// What the sequencer remembers between steps.
#[derive(Default)]
struct State {
    /// The ends of the logs whose files are up to date.
    tails: BTreeMap<LogId, TreeTail>,
    /// The logs whose files are not.
    behind: BTreeSet<LogId>,
}

impl fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sequencer({})", self.origins.deployment())
    }
}

impl Sequencer {
    /// How many events one step takes.
    pub const BATCH: usize = 1024;

    /// A sequencer over its ports; the seed is that of the deployment's audit key.
    #[must_use]
    pub fn new(
        store: Arc<dyn LogStore>,
        keys: Arc<dyn SubjectKeys>,
        sink: Arc<dyn TileSink>,
        clock: Arc<dyn Clock>,
        origins: Origins,
        seed: SecretBox<[u8; 32]>,
    ) -> Self {
        Self {
            store,
            keys,
            sink,
            clock,
            origins,
            seed,
            state: Mutex::default(),
        }
    }

    /// The signer of a log, and by it the log's verifier key.
    ///
    /// # Errors
    ///
    /// [`SequencerError::Diverged`] never happens for the origins of [`Origins::new`].
    pub fn signer(&self, log: LogId) -> Result<LogSigner, SequencerError> {
        let origin = self.origins.origin(log);
        let origin = origin.map_err(|_| SequencerError::Diverged { log })?;
        Ok(LogSigner::from_seed(origin, &self.seed))
    }

    /// Places up to [`Sequencer::BATCH`] events and publishes the logs that grew
    /// or were left behind.
    ///
    /// A log that cannot be published keeps no other from it.
    ///
    /// # Errors
    ///
    /// The first [`SequencerError`]; calling again goes on where it stopped.
    pub async fn step(&self) -> Result<Step, SequencerError> {
        let mut state = self.state.lock().await;
        let placed = self.place(&mut state).await;
        let published = self.publish_all(&mut state).await;
        let step = placed?;
        published.map(|()| step)
    }

    /// Forgets where the logs end, because another process may have gone on with them.
    ///
    /// To be called when this process takes over, before [`recover`](Self::recover).
    pub async fn take_over(&self) {
        let mut state = self.state.lock().await;
        *state = State::default();
        self.sink.reopen();
    }

    /// Brings every log's files up to what is placed; to be called once before the first step.
    ///
    /// A store that lost its entries is noticed here: the system log is looked
    /// at even if the store knows nothing of it.
    ///
    /// # Errors
    ///
    /// The first [`SequencerError`]; the other logs are brought up all the same.
    pub async fn recover(&self) -> Result<(), SequencerError> {
        let mut state = self.state.lock().await;
        let logs = self.store.logs().await.map_err(SequencerError::Store)?;
        state.behind.extend(logs);
        state.behind.insert(LogId::System);
        self.publish_all(&mut state).await
    }

    async fn publish_all(&self, state: &mut State) -> Result<(), SequencerError> {
        let mut result = Ok(());
        for log in state.behind.clone() {
            let published = self.publish(log, state).await;
            result = result.and(published);
        }
        result
    }
}
