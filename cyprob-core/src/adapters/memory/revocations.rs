//! Stored revocations.

use async_trait::async_trait;

use super::store::MemoryStore;
use crate::domain::{RevocationEntry, Timestamp};
use crate::ports::store::{RevocationStore, StoreError};

#[async_trait]
impl RevocationStore for MemoryStore {
    async fn live_revocations(&self, at: Timestamp) -> Result<Vec<RevocationEntry>, StoreError> {
        Ok(self.read(|state| {
            let live = state.revocations.iter();
            live.filter(|entry| at < entry.expires_at)
                .copied()
                .collect()
        }))
    }

    async fn sweep_revocations(&self, at: Timestamp) -> Result<u64, StoreError> {
        Ok(self.write(|state| {
            let before = state.revocations.len();
            state.revocations.retain(|entry| at < entry.expires_at);
            let swept = before.saturating_sub(state.revocations.len());
            u64::try_from(swept).unwrap_or(u64::MAX)
        }))
    }
}
