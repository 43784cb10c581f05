//! Which of a deployment's processes does what only one may do.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::store::StoreError;

/// Gives the lead to one process at a time.
#[async_trait]
pub trait Leadership: Debug + Send + Sync + 'static {
    /// Takes the lead; `None` if another process has it.
    ///
    /// The term ends when it is resigned or dropped, and when whoever gave it
    /// hears no more of this process.
    async fn take(&self) -> Result<Option<Arc<dyn Term>>, StoreError>;
}

/// The time in which a process leads.
#[async_trait]
pub trait Term: Debug + Send + Sync + 'static {
    /// Whether it lasts, asked now of whoever gave it; once it does not, it never does again.
    async fn lasts(&self) -> bool;

    /// Returns when it is over.
    async fn over(&self);

    /// Ends it, so that another process may lead at once.
    async fn resign(&self);
}
