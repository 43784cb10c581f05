//! Whether the database really keeps organizations apart.
//!
//! Row level security is easily undone: by a table that was forgotten, a role
//! that is not held to it, a view that looks past it. [`PostgresStore::verify_isolation`]
//! reads the catalogues, as the runtime role, and names every such place. A node
//! that finds one does not start.

mod catalog;
mod fault;
mod rules;
mod table;

pub use fault::{Fault, IsolationError};
pub use table::Table;

use self::catalog::Catalog;
use super::options::OpenError;
use super::{Component, PostgresStore};

impl PostgresStore {
    /// Checks that the runtime role sees of each organization what it is bound to, and nothing else.
    ///
    /// `components` are the crates whose tables share the schema; `host` are the
    /// host's own tables with rows of organizations, in whatever schema.
    ///
    /// # Errors
    ///
    /// [`IsolationError::Faults`] with every fault that was found, each with its
    /// remedy, or [`IsolationError::Database`] if it could not look: that is no
    /// proof, so do not start then either.
    pub async fn verify_isolation(
        &self,
        components: &[&Component],
        host: &[Table],
    ) -> Result<(), IsolationError> {
        let declared = components
            .iter()
            .flat_map(|component| component.tables())
            .chain(host.iter().copied())
            .collect();
        let look = self.opened.look(async |connection| {
            let catalog = Catalog::new(connection, declared);
            catalog.faults().await.map_err(OpenError::unavailable)
        });
        let faults = look.await?;
        if faults.is_empty() {
            Ok(())
        } else {
            Err(IsolationError::Faults(faults))
        }
    }
}
