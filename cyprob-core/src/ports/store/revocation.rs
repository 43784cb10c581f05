//! Stored revocations.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{RevocationEntry, Timestamp};

/// Revocations that outlive a restart.
#[async_trait]
pub trait RevocationStore: Debug + Send + Sync + 'static {
    /// Those that can still end a token.
    async fn live_revocations(&self, at: Timestamp) -> Result<Vec<RevocationEntry>, StoreError>;

    /// Drops those that cannot; returns how many.
    async fn sweep_revocations(&self, at: Timestamp) -> Result<u64, StoreError>;
}
