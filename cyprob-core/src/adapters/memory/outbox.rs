//! The audit outbox.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use async_trait::async_trait;

use super::state::broken;
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{EventId, Notice, OrgId};
use crate::ports::store::{Outbox, StoreError};

/// Events in the order in which they were recorded.
#[derive(Default)]
pub(super) struct Events {
    waiting: VecDeque<AuditEvent>,
    recorded: u64,
    /// What people are to be told of them.
    pub(super) notices: BTreeMap<EventId, Notice>,
}

impl Events {
    /// How many were ever recorded.
    pub(super) const fn recorded(&self) -> u64 {
        self.recorded
    }

    /// Whether the events can be recorded; asked before the change that they tell of.
    pub(super) fn admit(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut ids: BTreeSet<EventId> = self.waiting.iter().map(|event| event.id).collect();
        if events.iter().all(|event| ids.insert(event.id)) {
            Ok(())
        } else {
            Err(broken("an event's id is unique"))
        }
    }

    /// Records events that were admitted.
    pub(super) fn record(&mut self, events: &[AuditEvent]) {
        self.waiting.extend(events.iter().cloned());
        let notices = events.iter().filter_map(Notice::of);
        self.notices
            .extend(notices.map(|notice| (notice.id, notice)));
        self.recorded = self
            .recorded
            .saturating_add(u64::try_from(events.len()).unwrap_or(u64::MAX));
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.write(|state| {
            state.outbox.admit(events)?;
            state.outbox.record(events);
            Ok(())
        })
    }

    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, StoreError> {
        Ok(self.read(|state| state.outbox.waiting.iter().take(limit).cloned().collect()))
    }

    async fn waiting(
        &self,
        org: Option<OrgId>,
        from: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        Ok(self.read(|state| {
            let own = state.outbox.waiting.iter().rev();
            own.filter(|event| event.org == org)
                .skip_while(|event| from.is_some_and(|from| event.id != from))
                .take(limit)
                .cloned()
                .collect()
        }))
    }

    async fn discard(&self, events: &[EventId]) -> Result<(), StoreError> {
        self.write(|state| {
            let placed: BTreeSet<&EventId> = events.iter().collect();
            state
                .outbox
                .waiting
                .retain(|event| !placed.contains(&event.id));
        });
        Ok(())
    }
}
