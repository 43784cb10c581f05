//! Telling people.

use std::fmt::Debug;

use async_trait::async_trait;

use super::store::BoxError;
use crate::domain::Notification;

/// A message was not taken. No cause names an address or a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotifyError {
    /// Trying later may help.
    #[error("the message was not taken")]
    Unavailable {
        /// Why.
        #[source]
        source: BoxError,
    },
    /// It is never taken; trying again will not help.
    #[error("the message was refused")]
    Refused {
        /// Why.
        #[source]
        source: BoxError,
    },
}

/// Carries messages to people.
///
/// It is called beside requests and never in one. A message that is offered
/// again after an error, or after a crash, has the same id.
#[async_trait]
pub trait Notifier: Debug + Send + Sync + 'static {
    /// Hands one message on; it is out of this process's hands when this returns `Ok`.
    ///
    /// # Errors
    ///
    /// [`NotifyError`]; the message may have been delivered all the same.
    async fn send(&self, notification: &Notification) -> Result<(), NotifyError>;
}
