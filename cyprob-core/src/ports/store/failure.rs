//! Counters of failures that the nodes of a deployment share.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{FailureChange, FailureKey, Failures, Timestamp};

/// Counters of failures. Nodes add up what each counted, every few seconds; nobody writes once per failure.
#[async_trait]
pub trait FailureStore: Debug + Send + Sync + 'static {
    /// What a counter says; nothing if nobody failed.
    async fn failures(&self, of: &FailureKey) -> Result<Failures, StoreError>;

    /// Adds what one node counted, all of it or nothing.
    ///
    /// A change that is `cleared` sets its counter to what it adds. A counter that
    /// comes to `bound` or stands above it records the event of the change that finds
    /// it so, once until it is cleared: of many nodes one.
    async fn add_failures(&self, changes: &[FailureChange], bound: u32) -> Result<(), StoreError>;

    /// Sets counters to nought; `false`, and nothing is recorded, if all were.
    async fn clear_failures(
        &self,
        of: &[FailureKey],
        events: &[AuditEvent],
    ) -> Result<bool, StoreError>;

    /// Forgets counters below `bound` whose last failure was before `quiet_since`, and beyond
    /// `most` those with the fewest failures, the oldest first. Returns how many.
    async fn sweep_failures(
        &self,
        quiet_since: Timestamp,
        bound: u32,
        most: u32,
    ) -> Result<u64, StoreError>;
}
