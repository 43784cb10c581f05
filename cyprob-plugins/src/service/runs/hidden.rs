//! Runs that a caller may not have: answered as if they were not there, and recorded.

use std::collections::BTreeSet;
use std::sync::Arc;

use cyprob_core::domain::audit::{Action, AuditEvent, MetaValue, Outcome, Resource};
use cyprob_core::domain::{RunId, Scoped, Tag};
use cyprob_core::ports::store::{Outbox, StoreError};
use cyprob_core::ports::{Clock, Entropy, EntropyExt};

use crate::ports::RunStore;

/// The rule that refuses, as the request check names it.
const RULE: &str = "condition_object";

/// What the caller had to be permitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permission(&'static str);

impl Permission {
    pub(super) const READ: Self = Self("runs:read");
    pub(super) const CREATE: Self = Self("runs:create");
}

/// Records what was refused because of the objects that a caller may have.
#[derive(Clone, Debug)]
pub(super) struct Refusals {
    runs: Arc<dyn RunStore>,
    outbox: Arc<dyn Outbox>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Refusals {
    pub(super) const fn new(
        runs: Arc<dyn RunStore>,
        outbox: Arc<dyn Outbox>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            runs,
            outbox,
            clock,
            entropy,
        }
    }

    /// A run was not found among those the caller may have: recorded if the organization has it.
    ///
    /// The store is asked for one that is nowhere as well as for one that is
    /// hidden, and both are read alike before; only the record is more. An id
    /// is not to be guessed, so whoever sees that had it from somebody.
    pub(super) async fn missing(
        &self,
        org: &Scoped,
        run: RunId,
        permission: Permission,
    ) -> Result<(), StoreError> {
        if org.objects().is_all() || !self.runs.exists(org.org_ctx(), run).await? {
            return Ok(());
        }
        let event = self.event(org, permission, Resource::new("run", run));
        self.record(event).await
    }

    /// A run with these tags was asked for that the caller might not have then.
    pub(super) async fn outside(
        &self,
        org: &Scoped,
        tags: &BTreeSet<Tag>,
    ) -> Result<(), StoreError> {
        let on = Resource::new("organization", org.org());
        let event = self.event(org, Permission::CREATE, on);
        let tags = MetaValue::public(joined(tags));
        self.record(event.with("tags", tags)).await
    }

    fn event(&self, org: &Scoped, permission: Permission, on: Resource) -> AuditEvent {
        let at = self.clock.now();
        let id = self.entropy.id(at);
        AuditEvent::new(id, at, org.caller(), Action::AccessDenied, on)
            .with_outcome(Outcome::Denied, RULE)
            .with("permission", MetaValue::public(permission.0))
            .in_org(org.org())
    }

    /// Records in a task of its own: a client that hangs up does not escape the trail.
    async fn record(&self, event: AuditEvent) -> Result<(), StoreError> {
        let outbox = Arc::clone(&self.outbox);
        let recorded = tokio::spawn(async move { outbox.record(&[event]).await }).await;
        recorded.map_err(StoreError::unavailable)?
    }
}

/// Tags as events name them: `a,b`.
pub(super) fn joined(tags: &BTreeSet<Tag>) -> String {
    let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
    tags.join(",")
}
