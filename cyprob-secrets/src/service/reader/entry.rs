//! One secret in memory, and the one call for it that is on its way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use cyprob_core::domain::Timestamp;
use tokio::sync::watch;

use super::served::Held;
use crate::domain::Backoff;
use crate::ports::SecretError;

/// What came of a call.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Found(Arc<Held>),
    /// There is no such secret.
    Missing,
    /// The source answered, and will not give it.
    Refused(Arc<SecretError>),
    /// The source is out of reach.
    Outage(Arc<SecretError>),
}

/// What callers wait for; nothing until it is there.
pub(super) type Waiting = watch::Receiver<Option<Answer>>;

/// For how long after its pause a failure says that the source is out of reach: the next call may
/// be on its way for half of it.
const RECENT: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
pub(super) struct Entry {
    held: RwLock<Option<Arc<Held>>>,
    calls: Mutex<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    running: Option<Waiting>,
    backoff: Backoff,
    /// The last of them, and until when it counts as the answer to everybody.
    pause: Option<(Arc<SecretError>, Timestamp)>,
    /// How often the secret was forgotten: what was asked for before is not kept.
    forgotten: u64,
}

/// What a reader does who needs an answer.
pub(super) enum Turn {
    /// A call is on its way.
    Wait(Waiting),
    /// The source was out of reach a moment ago.
    Pause(Arc<SecretError>),
    /// There is none: make it, and tell.
    Call(Call),
}

/// The right to make the one call; whoever drops it without an answer has failed.
#[derive(Debug)]
pub(super) struct Call {
    entry: Arc<Entry>,
    tell: watch::Sender<Option<Answer>>,
    forgotten: u64,
    at: Timestamp,
}

impl Calls {
    fn pause(&mut self, cause: Arc<SecretError>, at: Timestamp) {
        let until = at.after(self.backoff.next());
        self.pause = Some((cause, until));
    }
}

impl Entry {
    pub(super) fn held(&self) -> Option<Arc<Held>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose turn it is to ask the source.
    pub(super) fn turn(self: &Arc<Self>, at: Timestamp) -> Turn {
        let mut calls = self.calls();
        if let Some(running) = &calls.running {
            return Turn::Wait(running.clone());
        }
        if let Some((cause, until)) = &calls.pause
            && at < *until
        {
            return Turn::Pause(Arc::clone(cause));
        }
        let (tell, waiting) = watch::channel(None);
        calls.running = Some(waiting);
        Turn::Call(Call {
            entry: Arc::clone(self),
            tell,
            forgotten: calls.forgotten,
            at,
        })
    }

    /// Forgets the secret; a call that is on its way tells those who wait for it, and nobody else.
    pub(super) fn forget(&self) {
        let mut calls = self.calls();
        calls.forgotten = calls.forgotten.wrapping_add(1);
        calls.running = None;
        calls.pause = None;
        self.keep(None);
    }

    /// Why the source was out of reach when it was asked last, if it was and that was just now.
    pub(super) fn outage(&self, at: Timestamp) -> Option<Arc<SecretError>> {
        let calls = self.calls();
        let (cause, until) = calls.pause.as_ref()?;
        (at < until.after(RECENT)).then(|| Arc::clone(cause))
    }

    /// Whether a call for it is on its way.
    pub(super) fn is_asked(&self) -> bool {
        self.calls().running.is_some()
    }

    /// INVARIANT: only while the calls are locked
    fn keep(&self, held: Option<Arc<Held>>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
    }
}

impl Call {
    /// What everybody waits for.
    pub(super) fn waiting(&self) -> Waiting {
        self.tell.subscribe()
    }

    /// Keeps what came of it and tells everybody who waits; a secret that is not there or not to be had any more is gone.
    pub(super) fn answered(self, answer: Answer, at: Timestamp) {
        let mut calls = self.entry.calls();
        if calls.forgotten == self.forgotten {
            match &answer {
                Answer::Found(held) => self.entry.keep(Some(Arc::clone(held))),
                Answer::Missing | Answer::Refused(_) => self.entry.keep(None),
                Answer::Outage(_) => {}
            }
            match &answer {
                Answer::Outage(cause) => calls.pause(Arc::clone(cause), at),
                Answer::Found(_) | Answer::Missing | Answer::Refused(_) => {
                    calls.backoff.reset();
                    calls.pause = None;
                }
            }
            calls.running = None;
        }
        drop(calls);
        self.tell.send_replace(Some(answer));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Without an answer, whoever waits learns that nobody will tell, and the next one calls.
        let mut calls = self.entry.calls();
        let running = calls.running.as_ref();
        if running.is_some_and(|running| running.same_channel(&self.tell.subscribe())) {
            calls.running = None;
            let gone = SecretError::unavailable("the call for the secret was given up");
            calls.pause(Arc::new(gone), self.at);
        }
    }
}
