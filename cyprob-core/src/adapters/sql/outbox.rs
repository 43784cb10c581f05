//! The audit outbox.

use async_trait::async_trait;

use super::{Arg, Backend, Columns, Scope, SqlStore, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{EventId, OrgId};
use crate::ports::store::{Outbox, StoreError};

/// Events of every organization and of none lie in one outbox.
const OUTBOX: Scope = Scope::system("the outbox of events");

#[async_trait]
impl<B: Backend> Outbox for SqlStore<B> {
    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let mut write = self.writing(OUTBOX).await?;
        write.record(events).await?;
        write.commit().await
    }

    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, StoreError> {
        let rows = self
            .reading(OUTBOX)
            .await?
            .fetch_all(&sql::PENDING_EVENTS, &[Arg::count(limit)])
            .await?;
        rows.iter().map(event::<B>).collect()
    }

    async fn waiting(
        &self,
        org: Option<OrgId>,
        from: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let scope = org.map_or(OUTBOX, Scope::org);
        let rows = self
            .reading(scope)
            .await?
            .fetch_all(
                &sql::WAITING_EVENTS,
                &[org.into(), from.into(), Arg::count(limit)],
            )
            .await?;
        rows.iter().map(event::<B>).collect()
    }

    async fn discard(&self, events: &[EventId]) -> Result<(), StoreError> {
        let mut write = self.writing(OUTBOX).await?;
        let ids = Arg::ids(events.iter().copied());
        write.fetch_all(&sql::TAKE_EVENTS, &[ids]).await?;
        write.commit().await
    }
}

fn event<B: Backend>(row: &B::Row) -> Result<AuditEvent, StoreError> {
    Columns::of(row, "audit_outbox").read("body", |body: &str| serde_json::from_str(body).ok())
}
