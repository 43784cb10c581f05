//! Passwords that were disclosed, as a port.

use std::error::Error;
use std::fmt::Debug;

use async_trait::async_trait;

use crate::domain::BreachDigest;

/// The list cannot say whether it holds a password.
#[derive(Debug, thiserror::Error)]
#[error("the list of disclosed passwords cannot be read")]
pub struct BreachListError {
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl BreachListError {
    /// An error with its cause, which is for logs alone.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: source.into(),
        }
    }
}

/// Knows passwords that were disclosed.
///
/// It answers without a network: what a person types goes nowhere. A list that
/// cannot tell says so; the password is then refused as one that could not be
/// checked, and never taken silently.
#[async_trait]
pub trait BreachList: Debug + Send + Sync + 'static {
    /// Whether the list holds the password of this digest.
    ///
    /// # Errors
    ///
    /// [`BreachListError`] if the list cannot be read.
    async fn holds(&self, password: &BreachDigest) -> Result<bool, BreachListError>;
}
