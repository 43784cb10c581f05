//! The runs of organizations and what they found.

use std::fmt::Debug;

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{OrgCtx, Page, PageRequest, RunId, Scoped, Timestamp};
use cyprob_core::ports::store::StoreError;

use crate::domain::{Digest, NewRun, Requester, Run, StoredFinding};

/// How queueing a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// It is queued.
    Queued,
    /// The organization has as many runs open as it may; nothing changed.
    Full,
    /// The same was asked for under this key before, and this is that run; nothing changed.
    Known(Run),
    /// The same, but that run is none of those the caller may have.
    Hidden(RunId),
    /// Something else was asked for under this key before; nothing changed.
    KeyUsed,
    /// The run is none of those the caller may have; nothing changed.
    Outside,
}

/// What was asked for under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRun {
    /// The digest of the request; none of a key from before digests were kept.
    pub request: Option<Digest>,
    /// The run that the request was answered with.
    pub id: RunId,
    /// That run; none if it is none of those the caller may have.
    pub run: Option<Run>,
}

impl KeyedRun {
    /// Whether this is what was asked for; of a key from before nobody knows, and it is.
    #[must_use]
    pub fn is_of(&self, request: &Digest) -> bool {
        self.request.is_none_or(|asked| asked == *request)
    }

    /// How queueing a run under the key ends, by the digest of its request.
    #[must_use]
    pub fn outcome(self, request: &Digest) -> CreateOutcome {
        if !self.is_of(request) {
            return CreateOutcome::KeyUsed;
        }
        match self.run {
            Some(run) => CreateOutcome::Known(run),
            None => CreateOutcome::Hidden(self.id),
        }
    }
}

/// How taking a run back ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It is cancelled; a worker's result will not be taken.
    Cancelled(Run),
    /// It had ended before; nothing changed.
    Ended(Run),
    /// There is no such run, or the caller may not have it.
    NotFound,
}

/// The runs of each organization. Events are recorded with the change, and only with it.
///
/// Who takes a [`Scoped`] gets the runs that it [admits](Scoped::admits), by
/// who asked for them and their tags; the others are as if they were not there.
#[async_trait]
pub trait RunStore: Debug + Send + Sync + 'static {
    /// Queues a run, unless the organization has `most_open` already that are queued or running.
    ///
    /// All of the organization's are counted. A run that has a [key](NewRun::key) is queued
    /// once: of those who ask for it at the same time one queues it, and the others know it.
    async fn create(
        &self,
        org: &Scoped,
        run: &NewRun,
        most_open: u32,
        event: &AuditEvent,
    ) -> Result<CreateOutcome, StoreError>;

    /// What a requester asked for under a key of theirs with this text; none if they asked for nothing.
    async fn keyed(
        &self,
        org: &Scoped,
        requester: Requester,
        text: &str,
    ) -> Result<Option<KeyedRun>, StoreError>;

    /// Whether there is a run, whoever may have it. An answer that says so tells more than a scope does.
    async fn exists(&self, org: &OrgCtx, id: RunId) -> Result<bool, StoreError>;

    /// One run.
    async fn run(&self, org: &Scoped, id: RunId) -> Result<Option<Run>, StoreError>;

    /// The runs, the newest first; the cursor is an id.
    async fn runs(&self, org: &Scoped, page: &PageRequest) -> Result<Page<Run>, StoreError>;

    /// What a run found, in the order of its report; none if there is no such run.
    async fn findings(
        &self,
        org: &Scoped,
        id: RunId,
        page: &PageRequest,
    ) -> Result<Option<Page<StoredFinding>>, StoreError>;

    /// Takes a run back.
    async fn cancel(
        &self,
        org: &Scoped,
        id: RunId,
        at: Timestamp,
        event: &AuditEvent,
    ) -> Result<CancelOutcome, StoreError>;
}
