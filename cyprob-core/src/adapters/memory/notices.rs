//! Notices on their way to people.

use async_trait::async_trait;

use super::store::MemoryStore;
use crate::domain::{EventId, Notice, Timestamp};
use crate::ports::store::{NoticeStore, StoreError};

#[async_trait]
impl NoticeStore for MemoryStore {
    async fn due_notices(&self, at: Timestamp, limit: u8) -> Result<Vec<Notice>, StoreError> {
        Ok(self.read(|state| {
            let mut due: Vec<Notice> = state
                .outbox
                .notices
                .values()
                .filter(|notice| notice.due_at <= at)
                .copied()
                .collect();
            due.sort_by_key(|notice| (notice.due_at, notice.id));
            due.truncate(limit.into());
            due
        }))
    }

    async fn claim_notice(&self, notice: &Notice, next: Timestamp) -> Result<bool, StoreError> {
        Ok(self.write(|state| {
            let stored = state
                .outbox
                .notices
                .get_mut(&notice.id)
                .filter(|stored| stored.attempts == notice.attempts);
            let Some(stored) = stored else { return false };
            stored.due_at = next;
            stored.attempts = stored.attempts.saturating_add(1);
            true
        }))
    }

    async fn drop_notice(&self, id: EventId) -> Result<(), StoreError> {
        self.write(|state| {
            state.outbox.notices.remove(&id);
        });
        Ok(())
    }
}
