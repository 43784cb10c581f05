//! Plugins, runs, findings and the queue in memory, gone with the process.

mod plugins;
mod queue;
mod runs;

use std::collections::BTreeMap;
use std::sync::Arc;

use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgCtx, OrgId, RunId, Timestamp};
use cyprob_core::ports::store::{Outbox, StoreError};
use tokio::sync::{Mutex, MutexGuard};

use crate::domain::{
    Digest, Fence, InstalledPlugin, NewRun, PluginFile, PluginId, Run, StoredFinding,
};

/// The stores of this crate in memory; events go into an outbox.
///
/// A change waits until its event is recorded, and is not made if that fails.
#[derive(Clone, Debug)]
pub struct MemoryRuns {
    outbox: Arc<dyn Outbox>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    plugins: BTreeMap<(OrgId, PluginId), (InstalledPlugin, PluginFile)>,
    versions: BTreeMap<(OrgId, PluginId, String), Digest>,
    runs: BTreeMap<(OrgId, RunId), Row>,
    /// When a run of each was last taken.
    turns: BTreeMap<OrgId, Timestamp>,
}

/// A run with what only the queue sees.
#[derive(Debug)]
struct Row {
    run: Run,
    new: NewRun,
    fence: Fence,
    attempts: u32,
    lease_until: Option<Timestamp>,
    findings: Vec<StoredFinding>,
}

impl MemoryRuns {
    /// Empty stores whose events go into this outbox.
    #[must_use]
    pub fn new(outbox: Arc<dyn Outbox>) -> Self {
        Self {
            outbox,
            state: Arc::default(),
        }
    }

    async fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().await
    }

    // INVARIANT: who records holds the state and awaits nothing more before the
    // change is made, so the two are one step for everybody else.
    async fn record(&self, event: &AuditEvent) -> Result<(), StoreError> {
        self.outbox.record(std::slice::from_ref(event)).await
    }

    /// Records an event of this organization.
    async fn record_of(&self, org: &OrgCtx, event: &AuditEvent) -> Result<(), StoreError> {
        if event.org != Some(org.org()) {
            return Err(StoreError::unavailable(
                "the event belongs in another organization's log",
            ));
        }
        self.record(event).await
    }
}
