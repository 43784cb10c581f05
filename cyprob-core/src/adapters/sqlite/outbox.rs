//! The audit outbox.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use super::row::Columns;
use super::sql;
use super::store::SqliteStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{EventId, OrgId};
use crate::ports::store::{Outbox, StoreError};

#[async_trait]
impl Outbox for SqliteStore {
    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        write.record(events).await?;
        write.commit().await
    }

    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, StoreError> {
        let rows = sqlx::query(sql::PENDING_EVENTS)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        rows.iter().map(event).collect()
    }

    async fn waiting(
        &self,
        org: Option<OrgId>,
        from: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let rows = sqlx::query(sql::WAITING_EVENTS)
            .bind(org.as_ref().map(|org| org.as_bytes().as_slice()))
            .bind(from.as_ref().map(|id| id.as_bytes().as_slice()))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        rows.iter().map(event).collect()
    }

    async fn discard(&self, events: &[EventId]) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        for id in events {
            sqlx::query(sql::DISCARD_EVENT)
                .bind(id.as_bytes().as_slice())
                .execute(write.connection())
                .await
                .map_err(StoreError::unavailable)?;
        }
        write.commit().await
    }
}

fn event(row: &SqliteRow) -> Result<AuditEvent, StoreError> {
    Columns::of(row, "audit_outbox").read("body", |body: &str| serde_json::from_str(body).ok())
}
