//! Plugins, runs, findings and the queue in core's SQL database, in its transactions.

mod plugins;
mod queue;
mod runs;
#[allow(clippy::module_inception, reason = "it holds the SQL")]
pub(super) mod sql;
#[cfg(test)]
pub(super) mod tests;

use std::fmt;

use cyprob_core::adapters::sql::{Backend, SqlStore, WrongLog};
use cyprob_core::domain::SystemCtx;
use cyprob_core::ports::store::StoreError;

/// The stores of this crate in core's database.
pub struct SqlRuns<B: Backend> {
    pub(super) store: SqlStore<B>,
    pub(super) system: SystemCtx,
}

impl<B: Backend> Clone for SqlRuns<B> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            system: self.system.clone(),
        }
    }
}

impl<B: Backend> fmt::Debug for SqlRuns<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqlRuns").field(&self.store).finish()
    }
}

impl<B: Backend> SqlRuns<B> {
    pub(super) fn over(store: SqlStore<B>) -> Self {
        Self {
            store,
            system: SystemCtx::new("queue", "handing runs to workers"),
        }
    }
}

/// A row that a statement before it has just seen.
const GONE: StoreError = StoreError::Corrupt {
    table: "runs",
    column: "id",
};

fn recorded(done: Result<(), WrongLog>) -> Result<(), StoreError> {
    done.map_err(|error| match error {
        WrongLog::Store(error) => error,
        other => StoreError::unavailable(other),
    })
}

fn integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(StoreError::unavailable)
}
