//! A stand-in for mail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::domain::Notification;
use crate::ports::{Notifier, NotifyError};

/// Keeps what was sent; fails while it is told to.
#[derive(Debug, Default)]
pub struct RecordingNotifier {
    sent: Mutex<Vec<Notification>>,
    away: AtomicBool,
}

impl RecordingNotifier {
    /// Takes out everything sent so far, in order.
    #[must_use]
    pub fn take(&self) -> Vec<Notification> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *sent)
    }

    /// From now on every message is turned away for the time being, or taken again.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }
}

#[async_trait]
impl Notifier for RecordingNotifier {
    async fn send(&self, notification: &Notification) -> Result<(), NotifyError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(NotifyError::Unavailable {
                source: "away".into(),
            });
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(notification.clone());
        Ok(())
    }
}
