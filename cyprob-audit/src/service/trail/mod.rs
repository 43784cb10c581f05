//! Reading a log: its items, its head, its proofs.
//!
//! Whose log is read follows from the proof that the caller shows: an
//! organization's own from its [`OrgCtx`], the system's from a [`DeploymentCtx`].

mod items;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cyprob_core::domain::{DeploymentCtx, OrgCtx};

use super::prove::{ProveError, prove_entry};
use crate::domain::{
    Leaf, LeafError, LogFile, LogId, Note, OpenedLeaf, Origins, SubjectKey, SubjectKeyId,
    TlogProof, VerifierKey,
};
use crate::ports::{
    LogFiles, LogStore, LogStoreError, PublishedLogs, PublishedLogsError, SubjectKeyStoreError,
    SubjectKeys,
};

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrailError {
    /// The cursor is none of a log's.
    #[error("no cursor of an audit log")]
    Cursor,
    /// The store failed.
    #[error("the audit log's store failed")]
    Store(#[from] LogStoreError),
    /// The keys of subjects cannot be had.
    #[error("the subject keys cannot be had")]
    Keys(#[from] SubjectKeyStoreError),
    /// What is published cannot be read.
    #[error(transparent)]
    Published(#[from] PublishedLogsError),
    /// A stored entry is no leaf.
    #[error("entry {index} of log {log} is no leaf")]
    Leaf {
        /// The log.
        log: LogId,
        /// The entry.
        index: u64,
        /// Why.
        #[source]
        source: LeafError,
    },
}

/// An event as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailItem {
    /// Its place in the log; none until the sequencer has placed it.
    pub index: Option<u64>,
    /// The event, its personal values opened as far as their keys exist.
    pub event: OpenedLeaf,
}

/// The logs of a deployment, for readers.
#[derive(Clone, Debug)]
pub struct AuditTrail {
    store: Arc<dyn LogStore>,
    keys: Arc<dyn SubjectKeys>,
    published: Arc<dyn PublishedLogs>,
    origins: Origins,
    verifier: VerifierKey,
}

/// One log, for a reader who may read it.
#[derive(Debug)]
pub struct TrailView<'a> {
    trail: &'a AuditTrail,
    log: LogId,
}

impl AuditTrail {
    /// The trail over its ports; the key is the deployment's verifier key.
    #[must_use]
    pub fn new(
        store: Arc<dyn LogStore>,
        keys: Arc<dyn SubjectKeys>,
        published: Arc<dyn PublishedLogs>,
        origins: Origins,
        verifier: VerifierKey,
    ) -> Self {
        Self {
            store,
            keys,
            published,
            origins,
            verifier,
        }
    }

    /// The log of an organization, for one of its members.
    #[must_use]
    pub fn of_org(&self, org: &OrgCtx) -> TrailView<'_> {
        TrailView {
            trail: self,
            log: LogId::Org(org.org()),
        }
    }

    /// Any log, for the pump of a sink.
    pub(crate) const fn of_log(&self, log: LogId) -> TrailView<'_> {
        TrailView { trail: self, log }
    }

    /// The log of events without an organization, for the deployment's administrator.
    #[must_use]
    pub fn of_system(&self, _: &DeploymentCtx) -> TrailView<'_> {
        TrailView {
            trail: self,
            log: LogId::System,
        }
    }
}

impl TrailView<'_> {
    /// How many entries are placed.
    ///
    /// # Errors
    ///
    /// [`TrailError`].
    pub async fn size(&self) -> Result<u64, TrailError> {
        Ok(self.trail.store.size(self.log).await?)
    }

    /// Placed items from an index on, the oldest first, at most `limit`: for exports that go on.
    ///
    /// # Errors
    ///
    /// [`TrailError`].
    pub async fn from(&self, first: u64, limit: usize) -> Result<Vec<TrailItem>, TrailError> {
        let leaves = self.trail.store.leaves(self.log, first, limit).await?;
        let stored: Vec<_> = (first..).zip(leaves).collect();
        self.open(&stored).await
    }

    /// The published checkpoint, signed; none for a log without entries.
    ///
    /// # Errors
    ///
    /// [`TrailError`].
    pub async fn checkpoint(&self) -> Result<Option<Vec<u8>>, TrailError> {
        let files = |files: Box<dyn LogFiles + Send>| {
            files
                .read(LogFile::Checkpoint, Note::MAX_BYTES)
                .map_err(ProveError::of_checkpoint)
        };
        self.published(files).await.map(Option::flatten)
    }

    /// The exact bytes of an entry; none if there is no such entry.
    ///
    /// # Errors
    ///
    /// [`TrailError`].
    pub async fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, TrailError> {
        if index >= self.trail.store.size(self.log).await? {
            return Ok(None);
        }
        Ok(self.trail.store.leaves(self.log, index, 1).await?.pop())
    }

    /// The proof of an entry under the published checkpoint; none if that does not cover it.
    ///
    /// # Errors
    ///
    /// [`TrailError`].
    pub async fn proof(&self, index: u64) -> Result<Option<TlogProof>, TrailError> {
        let origin = self.trail.origins.origin(self.log).ok();
        let Some(key) = origin.and_then(|origin| self.trail.verifier.for_log(&origin)) else {
            return Ok(None);
        };
        let proved = self.published(
            move |files| match prove_entry(files.as_ref(), &key, index) {
                Ok((proof, _)) => Ok(Some(proof)),
                Err(ProveError::NoEntry | ProveError::Checkpoint { source: None }) => Ok(None),
                Err(error) => Err(error),
            },
        );
        proved.await.map(Option::flatten)
    }

    /// Reads the published files on a thread that may block.
    async fn published<T: Send + 'static>(
        &self,
        read: impl FnOnce(Box<dyn LogFiles + Send>) -> Result<T, ProveError> + Send + 'static,
    ) -> Result<Option<T>, TrailError> {
        let log = self.log;
        let unreadable = move |source: Box<dyn std::error::Error + Send + Sync>| {
            PublishedLogsError { log, source }
        };
        let published = Arc::clone(&self.trail.published);
        let done = tokio::task::spawn_blocking(move || match published.open(log)? {
            Some(files) => read(files)
                .map(Some)
                .map_err(|error| unreadable(error.into())),
            None => Ok(None),
        });
        Ok(done.await.map_err(|error| unreadable(error.into()))??)
    }

    pub(super) async fn open(
        &self,
        stored: &[(u64, Vec<u8>)],
    ) -> Result<Vec<TrailItem>, TrailError> {
        let mut leaves = Vec::with_capacity(stored.len());
        for (index, bytes) in stored {
            let leaf = Leaf::parse(bytes);
            let leaf = leaf.map_err(|source| TrailError::Leaf {
                log: self.log,
                index: *index,
                source,
            })?;
            leaves.push((*index, leaf));
        }
        let ids: BTreeSet<SubjectKeyId> =
            leaves.iter().flat_map(|(_, leaf)| leaf.key_ids()).collect();
        let mut keys: BTreeMap<SubjectKeyId, SubjectKey> = BTreeMap::new();
        for id in ids {
            if let Some(key) = self.trail.keys.find(self.log, id).await? {
                keys.insert(id, key);
            }
        }
        // An origin of [`Origins`] is always a name; nothing is opened without one.
        let Ok(origin) = self.trail.origins.origin(self.log) else {
            return Ok(Vec::new());
        };
        let item = |(index, leaf): (u64, Leaf)| TrailItem {
            index: Some(index),
            event: leaf.open(&origin, |id| keys.get(&id)),
        };
        Ok(leaves.into_iter().map(item).collect())
    }
}
