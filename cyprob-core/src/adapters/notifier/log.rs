//! The log in place of mail.

use async_trait::async_trait;

use crate::domain::Notification;
use crate::ports::{Notifier, NotifyError};

/// Says in the log that there was a message, and for whom by id; nobody gets it.
///
/// For deployments without mail: a password is then reset by nobody, and an
/// address confirmed by nobody, because no log line ever holds a token.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn send(&self, notification: &Notification) -> Result<(), NotifyError> {
        let kind = notification.message.kind();
        tracing::info!(user.id = %notification.user, kind, "a message that no mail carries");
        Ok(())
    }
}
