//! Credentials that are lent, kept valid and replaced before their end.

mod doubts;
mod keeping;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Clock, Entropy};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use self::keeping::{Keeping, Shared};
use crate::domain::Credentials;
use crate::ports::{DynamicCredentials, LeaseError};

/// Keeps credentials from one source valid: renewed in time, replaced in time, given back in the end.
///
/// A lease is counted from the moment at which it was asked for, by our own
/// clock, and renewed after two thirds of its term and a bit by chance. Where
/// it cannot be renewed, or only for less than half of what it once was, other
/// credentials take its place. A source that is out of reach is asked again,
/// ever more seldom, but the more often the nearer the end is. Credentials that were
/// taken back under us are replaced as soon as a renewal says so.
///
/// Whoever sees that the server refuses them says so ([`Credentials::doubt`]): they are renewed at
/// once, or replaced where they cannot be or are in doubt again. After a doubt that was acted upon
/// the next waits for a second, and ever longer up to a minute where there is one after the other.
///
/// Those who use the credentials [`watch`](Self::watch) for others and let go
/// of the ones before when nothing uses them any more: then they are taken
/// back at the source. When the keeper drops, nothing is renewed any more, and
/// what is lent ends by itself; [`close`](Self::close) gives it back.
#[derive(Debug)]
pub struct LeaseKeeper {
    shared: Arc<Shared>,
    newest: watch::Receiver<Arc<Credentials>>,
    wishes: mpsc::UnboundedSender<Wish>,
    task: AbortHandle,
}

/// What a keeper is asked to do now.
#[derive(Debug)]
enum Wish {
    /// Replace the credentials.
    Rotate(oneshot::Sender<Result<Arc<Credentials>, LeaseError>>),
    /// Give everything back.
    Close(oneshot::Sender<Result<(), LeaseError>>),
}

/// How leased credentials stand, for health and posture.
#[derive(Clone, Debug)]
pub struct LeaseStanding {
    /// The number of the credentials in use.
    pub generation: u64,
    /// When they end unless they are renewed before.
    pub ends_at: Timestamp,
    /// Why they could not be renewed or replaced, if that is so now.
    pub failure: Option<LeaseError>,
}

impl LeaseKeeper {
    /// Borrows the first credentials, and keeps them from then on.
    ///
    /// # Errors
    ///
    /// [`LeaseError`] if none can be had; nothing is kept then.
    pub async fn start(
        source: Arc<dyn DynamicCredentials>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, LeaseError> {
        let (give_back, given_back) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            source,
            clock,
            entropy,
            failure: Mutex::default(),
        });
        let first = shared.issue(1, &give_back).await?;
        let (tell, newest) = watch::channel(first);
        let (wishes, wished) = mpsc::unbounded_channel();
        let keeping = Keeping::new(Arc::clone(&shared), tell, give_back);
        let task = tokio::spawn(keeping.run(wished, given_back)).abort_handle();
        Ok(Self {
            shared,
            newest,
            wishes,
            task,
        })
    }

    /// The credentials to sign in with now.
    #[must_use]
    pub fn current(&self) -> Arc<Credentials> {
        Arc::clone(&self.newest.borrow())
    }

    /// Tells of each credentials that replace others.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Credentials>> {
        self.newest.clone()
    }

    /// Replaces the credentials now; the ones before hold until nobody uses them, or to their end.
    ///
    /// # Errors
    ///
    /// [`LeaseError`] if no others can be had; the ones before stay in use.
    pub async fn rotate(&self) -> Result<Arc<Credentials>, LeaseError> {
        self.wish(Wish::Rotate).await
    }

    /// Gives back whatever is lent, also what somebody still holds, and ends.
    ///
    /// Close the pools that work with it before.
    ///
    /// # Errors
    ///
    /// [`LeaseError`] if the source cannot be told; then it ends by itself.
    pub async fn close(self) -> Result<(), LeaseError> {
        self.wish(Wish::Close).await
    }

    async fn wish<T>(
        &self,
        wish: impl FnOnce(oneshot::Sender<Result<T, LeaseError>>) -> Wish,
    ) -> Result<T, LeaseError> {
        let (tell, told) = oneshot::channel();
        let ended = || LeaseError::unavailable("the keeper has ended");
        self.wishes.send(wish(tell)).map_err(|_| ended())?;
        told.await.map_err(|_| ended())?
    }

    /// How the credentials stand now; asks nobody.
    #[must_use]
    pub fn standing(&self) -> LeaseStanding {
        let current = self.newest.borrow();
        let failure = self.shared.failure.lock();
        LeaseStanding {
            generation: current.generation(),
            ends_at: current.ends_at(),
            failure: failure.unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}
