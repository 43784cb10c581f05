//! Opening.

use super::migrate::{Component, check};
use super::open::Opened;
use super::{OpenError, PostgresOptions, PostgresStore};

impl PostgresStore {
    /// Opens a database as the runtime role; migrates nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: the database cannot be reached, or core's tables are not of this version.
    pub async fn open(options: &PostgresOptions) -> Result<Self, OpenError> {
        let store = Self::over(Opened::new(options).await?);
        store.expect(&Component::CORE).await?;
        Ok(store)
    }

    /// Checks that one crate's tables are those of this version.
    ///
    /// # Errors
    ///
    /// [`OpenError::Older`], [`OpenError::Newer`] or [`OpenError::Unavailable`].
    pub async fn expect(&self, component: &Component) -> Result<(), OpenError> {
        check(&self.opened, component).await
    }
}
