//! Connections that outlive their request: event streams and what was upgraded.
//!
//! A request is judged once. What stays open is judged once a second, by the
//! same rules, and ends when it would not be admitted any more.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::grant::Granted;
use super::guard::Guard;
use super::problem::{Problem, ProblemCode};
use super::standing::Full;
use crate::domain::Rule;
use crate::service::ConnectionSlot;

/// How often it is asked whether a connection still stands.
const PERIOD: Duration = Duration::from_secs(1);
/// How often the store is asked, where it is asked at every request.
const CONFIRM: Duration = Duration::from_secs(5);
/// When one who has too many connections may come back.
const FULL_RETRY: Duration = Duration::from_secs(5);

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The token's time is over, or the holder's own deadline.
    Expired,
    /// The token was revoked: its session, its person, membership, role, account or key.
    Revoked,
    /// The key that signed the token verifies nothing any more.
    KeyGone,
    /// Whether the token still stands is not known, as when the revocations are older than they may be.
    Unknown,
    /// The same request would be admitted now, and to fewer objects.
    FewerObjects,
    /// The same request would be refused now, by this rule.
    Refused(Rule),
}

impl Ended {
    /// A stable name for logs and close frames; a refusal's is its rule's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::KeyGone => "key_gone",
            Self::Unknown => "unknown",
            Self::FewerObjects => "fewer_objects",
            Self::Refused(rule) => rule.as_str(),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A connection that stays open after its request, as [`Auth::connection`](super::Auth::connection) gives it.
///
/// It holds one of the caller's places until it has ended or the last clone is
/// dropped, so keep it as long as the connection.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Held>);

#[derive(Debug)]
struct Held {
    /// Taken until it has ended or this is dropped.
    _place: Arc<Place>,
    ended: watch::Receiver<Option<Ended>>,
    watcher: Option<AbortHandle>,
}

/// A place among the caller's connections, if it still has one; strangers have none.
type Place = Mutex<Option<ConnectionSlot>>;

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(watcher) = &self.watcher {
            watcher.abort();
        }
    }
}

impl Connection {
    /// Waits until the token that the connection was admitted with no longer stands, and says why.
    ///
    /// It comes within about a second of the reason, and at once when called
    /// again. It may be dropped and called anew, as in a loop over `select!`. A
    /// connection that was admitted without a token never ends by itself.
    pub async fn ended(&self) -> Ended {
        if self.0.watcher.is_none() {
            return std::future::pending().await;
        }
        let mut ended = self.0.ended.clone();
        let told = ended.wait_for(Option::is_some).await.map(|told| *told);
        // Where nobody watches any more, nothing is known.
        told.ok().flatten().unwrap_or(Ended::Unknown)
    }

    /// Whether anyone beside the one who asks holds it.
    pub(super) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Why it is over, if it is.
    #[must_use]
    pub fn has_ended(&self) -> Option<Ended> {
        let watcher = self.0.watcher.as_ref();
        let over = watcher.is_some_and(AbortHandle::is_finished);
        let told = *self.0.ended.borrow();
        told.or(over.then_some(Ended::Unknown))
    }
}

/// The connection of an admitted request, if its handler opened one.
#[derive(Debug, Default)]
pub(super) struct Opened {
    held: Weak<Held>,
    /// Kept until the handler has answered, so that its answer can be bound to it.
    kept: Option<Connection>,
    answered: bool,
}

/// An admitted request until its handler has answered.
///
/// INVARIANT: the connection is kept only as long as this is there. Who watches
/// it holds the admission, so what kept it beyond would keep itself.
#[derive(Debug)]
pub(super) struct Answering(Granted);

impl Answering {
    pub(super) const fn new(granted: Granted) -> Self {
        Self(granted)
    }

    pub(super) fn guard(&self) -> &Guard {
        &self.0.terms().guard
    }

    /// The connection that the handler opened, if any; to be asked when it has answered.
    pub(super) fn answered(&self) -> Option<Connection> {
        let mut opened = self.0.opened();
        opened.answered = true;
        opened.kept.take()
    }

    /// Opens the connection, or gives the one that is open.
    pub(super) fn open(&self) -> Result<Connection, Problem> {
        self.0.open()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        drop(self.answered());
    }
}

impl Granted {
    fn opened(&self) -> MutexGuard<'_, Opened> {
        let opened = self.terms().opened.lock();
        opened.unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the request's connection, or gives the one that is open.
    pub(super) fn open(&self) -> Result<Connection, Problem> {
        let mut opened = self.opened();
        if let Some(held) = opened.held.upgrade() {
            return Ok(Connection(held));
        }
        let slot = self.slot().map_err(|Full| {
            Problem::new(ProblemCode::SlowDown)
                .detail("Too many open connections")
                .retry_after(FULL_RETRY)
        })?;
        let place = Arc::new(Mutex::new(slot));
        let (tell, ended) = watch::channel(None);
        let watcher = self.can_end().then(|| {
            let watching = watching(self.clone(), Arc::downgrade(&place), tell);
            tokio::spawn(watching).abort_handle()
        });
        let connection = Connection(Arc::new(Held {
            _place: place,
            ended,
            watcher,
        }));
        opened.held = Arc::downgrade(&connection.0);
        if !opened.answered {
            opened.kept = Some(connection.clone());
        }
        Ok(connection)
    }
}

/// Asks until the answer is no, then gives the place back and tells it.
///
/// Once the handler has answered it holds neither the place nor the connection,
/// which end it by being dropped (see [`Answering`]).
/// But a client that reads nothing keeps its connection from being dropped, so
/// the place is not left to that.
async fn watching(granted: Granted, place: Weak<Place>, tell: watch::Sender<Option<Ended>>) {
    let mut confirmed = granted.now();
    let ended = loop {
        let at = granted.now();
        if let Err(ended) = granted.stands(at) {
            break ended;
        }
        // A clock that was set is as good as one that ran.
        if confirmed.as_micros().abs_diff(at.as_micros()) >= CONFIRM.as_micros() as u64 {
            if let Err(ended) = granted.confirmed().await {
                break ended;
            }
            confirmed = at;
        }
        let left = granted.expires_at().map(|end| end.since(at));
        tokio::time::sleep(left.unwrap_or(PERIOD).min(PERIOD)).await;
    };
    tracing::debug!(request.id = %granted.terms().stamp.id, reason = %ended, "connection ended");
    if let Some(place) = place.upgrade() {
        drop(place.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
    tell.send_replace(Some(ended));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_nobody_watches_any_more_is_over() {
        let (tell, ended) = watch::channel(None);
        let watching = tokio::spawn(async move { drop(tell) });
        let watcher = Some(watching.abort_handle());
        let connection = Connection(Arc::new(Held {
            _place: Arc::default(),
            ended,
            watcher,
        }));
        assert_eq!(connection.ended().await, Ended::Unknown);
        watching.await.unwrap();
        assert_eq!(connection.has_ended(), Some(Ended::Unknown));
    }
}
