//! Changes that are still being made after their client has hung up.

use std::sync::Arc;

use tokio::sync::watch;

/// Counts the changes that run; clones share the count.
#[derive(Clone, Debug)]
pub struct InFlight(Arc<watch::Sender<usize>>);

/// One change that runs; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Running(Arc<watch::Sender<usize>>);

impl Default for InFlight {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl InFlight {
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "the router begins changes")
    )]
    pub(crate) fn begin(&self) -> Running {
        self.0.send_modify(|count| *count += 1);
        Running(Arc::clone(&self.0))
    }

    /// How many run now.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until none runs; a server calls it after it stopped taking requests.
    pub async fn drained(&self) {
        let mut count = self.0.subscribe();
        // the sender lives in `self`, so waiting cannot fail
        let _ = count.wait_for(|count| *count == 0).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}
