//! A store and an outbox that fail where a test says, on either side of a step.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{EventId, OrgId, Timestamp};
use cyprob_core::ports::store::{Outbox, StoreError};
use tokio::sync::Notify;

use crate::domain::{Scheme, SecretName, SecretRef, SecretValue, SecretVersion};
use crate::ports::{
    Expected, Listed, PutOutcome, Secret, SecretError, SecretProvider, SecretStore,
};

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error, and nothing is done.
    FailBefore,
    /// An error, and it is done all the same.
    FailAfter,
    /// The caller's process ends, and nothing is done.
    KillBefore,
    /// The caller's process ends, and it is done.
    KillAfter,
    /// An error at this call and at every later one, and nothing is done.
    Outage,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 5] = [
        Self::FailBefore,
        Self::FailAfter,
        Self::KillBefore,
        Self::KillAfter,
        Self::Outage,
    ];
}

/// Counts calls, and says at which of them something happens.
#[derive(Debug, Default)]
pub struct Faults {
    calls: AtomicUsize,
    planned: Mutex<Option<(usize, Fault)>>,
    killed: Notify,
}

#[derive(Debug)]
struct Injected;

impl Faults {
    /// Plans a fault at the call of this number, from nought, counted from now.
    pub fn at(&self, call: usize, fault: Fault) {
        self.calls.store(0, Ordering::SeqCst);
        *self.planned.lock().unwrap_or_else(PoisonError::into_inner) = Some((call, fault));
    }

    /// Plans none.
    pub fn none(&self) {
        *self.planned.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How many calls there were since a fault was planned.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Waits until the caller's process ends: drop what it was doing then.
    pub async fn killed(&self) {
        self.killed.notified().await;
    }

    async fn around<T>(&self, step: impl Future<Output = T>) -> Result<T, Injected> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let planned = *self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = planned.and_then(|(at, fault)| {
            let here = at == call || (fault == Fault::Outage && at <= call);
            here.then_some(fault)
        });
        match fault {
            None => Ok(step.await),
            Some(Fault::FailBefore | Fault::Outage) => Err(Injected),
            Some(Fault::FailAfter) => {
                step.await;
                Err(Injected)
            }
            Some(Fault::KillBefore) => self.kill().await,
            Some(Fault::KillAfter) => {
                step.await;
                self.kill().await
            }
        }
    }

    async fn kill<T>(&self) -> T {
        self.killed.notify_one();
        std::future::pending().await
    }
}

/// A secret store with faults.
#[derive(Debug)]
pub struct FaultyStore<S> {
    inner: S,
    /// Its faults.
    pub faults: Arc<Faults>,
}

impl<S> FaultyStore<S> {
    /// A store that works until a fault is planned.
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            faults: Arc::default(),
        }
    }

    async fn around<T>(
        &self,
        step: impl Future<Output = Result<T, SecretError>>,
    ) -> Result<T, SecretError> {
        let done = self.faults.around(step).await;
        done.unwrap_or_else(|Injected| Err(SecretError::unavailable("injected")))
    }
}

#[async_trait]
impl<S: SecretProvider> SecretProvider for FaultyStore<S> {
    fn scheme(&self) -> Scheme {
        self.inner.scheme()
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        self.around(self.inner.read(reference)).await
    }
}

#[async_trait]
impl<S: SecretStore> SecretStore for FaultyStore<S> {
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        self.around(self.inner.put(name, value, expected, at)).await
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        self.around(self.inner.delete(name)).await
    }

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        self.around(self.inner.delete_before(name, version)).await
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        self.around(self.inner.list(below)).await
    }

    async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
        self.around(self.inner.taken(below)).await
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        self.around(self.inner.names()).await
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        self.around(self.inner.versions(name)).await
    }
}

/// An outbox with faults; only recording has them.
#[derive(Debug)]
pub struct FaultyOutbox {
    inner: Arc<dyn Outbox>,
    /// Its faults.
    pub faults: Arc<Faults>,
}

impl FaultyOutbox {
    /// An outbox that works until a fault is planned.
    #[must_use]
    pub fn new(inner: Arc<dyn Outbox>) -> Self {
        Self {
            inner,
            faults: Arc::default(),
        }
    }
}

#[async_trait]
impl Outbox for FaultyOutbox {
    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let done = self.faults.around(self.inner.record(events)).await;
        done.unwrap_or_else(|Injected| Err(StoreError::unavailable("injected")))
    }

    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, StoreError> {
        self.inner.pending(limit).await
    }

    async fn waiting(
        &self,
        org: Option<OrgId>,
        from: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        self.inner.waiting(org, from, limit).await
    }

    async fn discard(&self, events: &[EventId]) -> Result<(), StoreError> {
        self.inner.discard(events).await
    }
}
