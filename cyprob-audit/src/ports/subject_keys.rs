//! The keys of the people whom a log's personal values are about.

use std::fmt::Debug;

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;

use crate::domain::{KeyOwner, LogId, SubjectKey, SubjectKeyId};

/// The keys cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectKeyStoreError {
    /// The backend failed.
    #[error("subject keys unavailable")]
    Unavailable {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Keeps one key for each owner in each log.
#[async_trait]
pub trait SubjectKeys: Debug + Send + Sync + 'static {
    /// The key of an owner, made now if there is none; two calls at once give the same key.
    async fn obtain(
        &self,
        log: LogId,
        owner: KeyOwner,
        at: Timestamp,
    ) -> Result<SubjectKey, SubjectKeyStoreError>;

    /// A key by its id; `None` if it was destroyed or never was.
    async fn find(
        &self,
        log: LogId,
        key: SubjectKeyId,
    ) -> Result<Option<SubjectKey>, SubjectKeyStoreError>;
}
