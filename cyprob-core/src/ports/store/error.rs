//! How a store fails.

use std::error::Error;

/// An error of another library, kept as a cause.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// A store could not answer. Nothing of the operation took effect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The backend did not answer; trying later may help.
    #[error("store unavailable")]
    Unavailable {
        /// What the backend said.
        #[source]
        source: BoxError,
    },
    /// A stored value cannot be read; trying again will not help.
    #[error("stored value unreadable: {table}.{column}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

impl StoreError {
    /// Wraps what the backend said.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable {
            source: source.into(),
        }
    }
}
