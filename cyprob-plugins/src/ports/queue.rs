//! The queue of runs: at least once, with leases and fences.

use std::fmt::Debug;

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgId, RunId, Timestamp};
use cyprob_core::ports::store::StoreError;

use crate::domain::{Fence, Job, RunResult, Waiting};

/// Hands runs to workers.
///
/// A run is taken under a lease and a fence. Whoever has a stale fence can
/// neither keep, give back nor finish it. Events are recorded with the change,
/// and only with it.
#[async_trait]
pub trait Queue: Debug + Send + Sync + 'static {
    /// The next run that is queued, or whose lease has ended by `at`.
    ///
    /// Organizations take turns: it is the oldest run of the organization whose
    /// last run was taken the longest ago, so that nobody waits behind all that
    /// another one asked for.
    async fn due(&self, at: Timestamp) -> Result<Option<Waiting>, StoreError>;

    /// Takes a run that is still as it was seen: the next fence, a lease, one more attempt.
    ///
    /// None if somebody was faster, or it was cancelled.
    async fn take(
        &self,
        waiting: &Waiting,
        at: Timestamp,
        lease_until: Timestamp,
        event: &AuditEvent,
    ) -> Result<Option<Job>, StoreError>;

    /// Prolongs the lease of an attempt; `false` if it is stale or the run has ended.
    async fn extend(
        &self,
        org: OrgId,
        run: RunId,
        fence: Fence,
        lease_until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Gives an attempt back to the queue; `false` if it is stale or the run has ended.
    ///
    /// An attempt that does not count is one that no worker spoiled.
    async fn give_back(
        &self,
        org: OrgId,
        run: RunId,
        fence: Fence,
        counts: bool,
        error: &str,
        event: &AuditEvent,
    ) -> Result<bool, StoreError>;

    /// Ends a run with an attempt's result; `false` if the attempt is stale or the run has ended.
    async fn finish(
        &self,
        org: OrgId,
        run: RunId,
        fence: Fence,
        result: &RunResult,
        event: &AuditEvent,
    ) -> Result<bool, StoreError>;

    /// Ends every lease, and says how many there were; for the start of the only process that serves this queue.
    async fn reclaim(&self, at: Timestamp) -> Result<u64, StoreError>;
}
