//! The store and its transactions' beginnings.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::accesses::Renewals;
use super::read::Read;
use super::steps::Steps;
use super::tx::{Signal, Write};
use super::{Arg, Backend, Mode, OrgRead, OrgTx, Scope, Statement, SystemRead, SystemTx};
use crate::domain::{OrgCtx, SystemCtx};
use crate::ports::store::StoreError;

/// An open database. Clones share it.
pub struct SqlStore<B: Backend> {
    pub(in crate::adapters) opened: Arc<B::Opened>,
    recorded: Arc<watch::Sender<u64>>,
    pub(super) renewals: Renewals,
    pub(super) steps: Steps,
}

impl<B: Backend> Clone for SqlStore<B> {
    fn clone(&self) -> Self {
        Self {
            opened: Arc::clone(&self.opened),
            recorded: Arc::clone(&self.recorded),
            renewals: self.renewals.clone(),
            steps: self.steps.clone(),
        }
    }
}

impl<B: Backend> fmt::Debug for SqlStore<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", std::any::type_name::<B>())
    }
}

impl<B: Backend> SqlStore<B> {
    pub(in crate::adapters) fn over(opened: B::Opened) -> Self {
        Self {
            opened: Arc::new(opened),
            recorded: Arc::new(watch::Sender::new(0)),
            renewals: Renewals::default(),
            steps: Steps::default(),
        }
    }

    /// Sees a new number after each commit of this process that recorded an event.
    ///
    /// A commit whose caller left before its end is signalled too. A receiver
    /// that looks on `pending` should also look from time to time: what was
    /// committed before it subscribed, or by another process, is not signalled.
    #[must_use]
    pub fn outbox_signal(&self) -> watch::Receiver<u64> {
        self.recorded.subscribe()
    }

    /// Begins a change of one organization's data.
    ///
    /// It holds a connection, in SQLite the only one that writes: do nothing slow in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn org_tx(&self, org: &OrgCtx) -> Result<OrgTx<B>, StoreError> {
        Ok(OrgTx::new(
            self.writing(Scope::org(org.org())).await?,
            org.org(),
        ))
    }

    /// Begins a change across organizations, for a stated reason.
    ///
    /// It holds a connection, in SQLite the only one that writes: do nothing slow in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn system_tx(&self, system: &SystemCtx) -> Result<SystemTx<B>, StoreError> {
        tracing::trace!(reason = system.reason(), "system transaction");
        let scope = Scope::system(system.reason());
        Ok(SystemTx::new(self.writing(scope).await?))
    }

    /// Begins a consistent read of one organization's data; nothing can be written in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn org_read(&self, org: &OrgCtx) -> Result<OrgRead<B>, StoreError> {
        let read = self.reading(Scope::org(org.org())).await?;
        Ok(OrgRead {
            read,
            org: org.org(),
        })
    }

    /// Begins a consistent read across organizations; nothing can be written in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn system_read(&self, system: &SystemCtx) -> Result<SystemRead<B>, StoreError> {
        tracing::trace!(reason = system.reason(), "system read");
        let read = self.reading(Scope::system(system.reason())).await?;
        Ok(SystemRead { read })
    }

    /// Waits for what is under way and closes the database; later calls fail.
    pub async fn close(&self) {
        B::close(&self.opened).await;
    }

    /// Runs one statement that is a transaction by itself, and returns its rows.
    pub(super) async fn fetch_all(
        &self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Vec<B::Row>, StoreError> {
        B::fetch(&self.opened, statement, args).await
    }

    /// The same of a statement that has one row or none.
    pub(super) async fn fetch_optional(
        &self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Option<B::Row>, StoreError> {
        Ok(self.fetch_all(statement, args).await?.pop())
    }

    /// Gives the signal of recorded events when it goes, however that comes about.
    pub(super) fn signal(&self) -> Signal {
        Signal::due(Arc::clone(&self.recorded))
    }

    pub(in crate::adapters) async fn reading(&self, scope: Scope) -> Result<Read<B>, StoreError> {
        Ok(Read(B::begin(&self.opened, Mode::Read, &scope).await?))
    }

    pub(super) async fn writing(&self, scope: Scope) -> Result<Write<B>, StoreError> {
        let tx = B::begin(&self.opened, Mode::Write, &scope).await?;
        Ok(Write::new(tx, Arc::clone(&self.recorded)))
    }
}
