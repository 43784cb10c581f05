//! Who read which secret, for the audit trail.

use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use cyprob_core::domain::audit::Outcome;
use cyprob_core::domain::{Caller, Timestamp};
use cyprob_core::ports::store::{Outbox, StoreError};
use cyprob_core::ports::{Clock, Entropy, EntropyExt as _};

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::window::{What, Window};
use crate::domain::SecretRef;

/// How many kinds of reads are counted at most, and as many of refusals; others are recorded one by one.
const MOST: usize = 10_000;
/// How long the trail may take for one call.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many events are recorded at once.
const BATCH: usize = 100;

/// Tells the audit trail of reads: of the first of a kind at once, of the others how many there were.
///
/// Reads of a kind have one actor, reference, version and outcome. A process
/// that ends without [`close`](Self::close) loses at most the numbers of the
/// windows that are open, never a first read. Clones share it.
#[derive(Clone, Debug)]
pub struct ReadTrail(Arc<Shared>);

type Windows = HashMap<u64, Vec<Arc<Window>>>;

#[derive(Debug)]
struct Shared {
    outbox: Arc<dyn Outbox>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    window: Duration,
    hasher: RandomState,
    given: RwLock<Windows>,
    /// Apart, so that whoever is refused takes no room from those who read.
    denied: RwLock<Windows>,
    /// Windows are closed from the first read on, in the runtime that it is in.
    closing: AtomicBool,
}

/// How a read was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It was counted.
    AtOnce,
    /// It, or the one before it, was recorded: time went by.
    Waited,
}

/// How a read goes on.
enum Turn {
    Counted,
    /// It is the first of its kind, or waits for the first to be recorded.
    Open(Arc<Window>),
    /// There are too many kinds.
    Alone,
}

impl ReadTrail {
    /// For how long reads are counted together where nobody says otherwise.
    pub const WINDOW: Duration = Duration::from_secs(60);

    /// Records into an outbox; reads of a kind are counted together for the length of a window, a second at least.
    #[must_use]
    pub fn new(
        outbox: Arc<dyn Outbox>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        window: Duration,
    ) -> Self {
        Self(Arc::new(Shared {
            outbox,
            clock,
            entropy,
            window: window.max(Duration::from_secs(1)),
            hasher: RandomState::default(),
            given: RwLock::default(),
            denied: RwLock::default(),
            closing: AtomicBool::new(false),
        }))
    }

    /// Records what is counted so far.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the trail takes no events; what it did not take stays counted.
    pub async fn close(&self) -> Result<(), Arc<StoreError>> {
        let shared = Arc::clone(&self.0);
        // In a task of its own: whoever leaves takes no number along.
        let closing = runtime()?.spawn(async move { shared.record_rest(None).await });
        match closing.await {
            Ok(closed) => closed.map_err(Arc::new),
            Err(_) => Err(unavailable("the closing of the trail was cut off")),
        }
    }

    /// Returns once the trail has a refusal, or counts it.
    pub(super) async fn refused(
        &self,
        caller: &Caller,
        reference: &SecretRef,
    ) -> Result<(), Arc<StoreError>> {
        let at = self.0.clock.now();
        self.tell(caller, What::denied(reference), at)
            .await
            .map(drop)
    }

    /// Returns once the trail has the read, or counts it; at the latest when its patience is over.
    pub(super) async fn tell(
        &self,
        caller: &Caller,
        what: What<'_>,
        at: Timestamp,
    ) -> Result<Told, Arc<StoreError>> {
        let mut told = Told::AtOnce;
        loop {
            let first = match self.0.turn(caller, what, at) {
                Turn::Counted => return Ok(told),
                Turn::Open(window) => self.first(&window).await?,
                Turn::Alone => self.first(&Window::open(caller, what, at)).await?,
            };
            told = Told::Waited;
            // Where somebody else's read was the first, this one is still to be counted.
            if first {
                return Ok(told);
            }
        }
    }

    /// Records the first read of a window, or waits for whoever does; whether it was this call.
    async fn first(&self, window: &Window) -> Result<bool, Arc<StoreError>> {
        self.keep_closing()?;
        let recorded = timeout(PATIENCE, self.0.record_first(window)).await;
        match recorded {
            Ok(recorded) => recorded.map_err(Arc::new),
            Err(_) => Err(unavailable("the audit trail took too long")),
        }
    }

    fn keep_closing(&self) -> Result<(), Arc<StoreError>> {
        let runtime = runtime()?;
        if !self.0.closing.swap(true, Ordering::Relaxed) {
            let closing = Closing(Arc::downgrade(&self.0));
            runtime.spawn(closing.keep_on());
        }
        Ok(())
    }
}

fn runtime() -> Result<Handle, Arc<StoreError>> {
    Handle::try_current().map_err(|_| unavailable("secrets are read within a Tokio runtime"))
}

/// Closes windows that are over, as long as it is there; the next first read begins another one.
struct Closing(Weak<Shared>);

impl Closing {
    async fn keep_on(self) {
        loop {
            let Some(every) = self.0.upgrade().map(|shared| shared.window / 4) else {
                return;
            };
            tokio::time::sleep(every).await;
            let Some(shared) = self.0.upgrade() else {
                return;
            };
            let at = shared.clock.now();
            if let Err(error) = shared.record_rest(Some(at)).await {
                tracing::warn!(%error, "numbers of reads of secrets are not recorded yet");
            }
        }
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.closing.store(false, Ordering::Relaxed);
        }
    }
}

/// Windows that are to be closed; those that the trail did not take are closed again later.
struct Taken<'s> {
    shared: &'s Shared,
    windows: Vec<(u64, Arc<Window>)>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        for (hash, window) in self.windows.drain(..) {
            let kept = self.shared.kept(window.outcome());
            let mut open = kept.write().unwrap_or_else(PoisonError::into_inner);
            open.entry(hash).or_default().push(window);
        }
    }
}

fn unavailable(why: &'static str) -> Arc<StoreError> {
    Arc::new(StoreError::unavailable(why))
}

impl Shared {
    fn turn(&self, caller: &Caller, what: What<'_>, at: Timestamp) -> Turn {
        let hash = what.hash(&caller.actor, &self.hasher);
        // INVARIANT: a window is counted in only while it is held in the map, so no count is lost
        let counted = |open: &Windows| {
            let mut windows = open.get(&hash)?.iter();
            let window = windows
                .find(|window| window.is_of(&caller.actor, &what) && !self.is_over(window, at))?;
            Some(match window.count(at) {
                true => Turn::Counted,
                false => Turn::Open(Arc::clone(window)),
            })
        };
        let kept = self.kept(what.outcome());
        let known = counted(&kept.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(turn) = known {
            return turn;
        }
        let mut open = kept.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = counted(&open) {
            return turn;
        }
        if open.len() >= MOST && !open.contains_key(&hash) {
            return Turn::Alone;
        }
        let window = Arc::new(Window::open(caller, what, at));
        open.entry(hash).or_default().push(Arc::clone(&window));
        Turn::Open(window)
    }

    const fn kept(&self, outcome: Outcome) -> &RwLock<Windows> {
        match outcome {
            Outcome::Success => &self.given,
            _ => &self.denied,
        }
    }

    /// Its time is over, or it is of a time that the clock was set back from.
    fn is_over(&self, window: &Window, at: Timestamp) -> bool {
        let passed = at.since(window.first_at).max(window.first_at.since(at));
        passed >= self.window
    }

    /// Records the first read of a window; whether it was this call that did.
    async fn record_first(&self, window: &Window) -> Result<bool, StoreError> {
        let mut first = false;
        let record = async {
            let id = self.entropy.id(window.first_at);
            self.outbox.record(&[window.first(id)]).await?;
            first = true;
            Ok::<_, StoreError>(id)
        };
        window.recorded.get_or_try_init(|| record).await?;
        Ok(first)
    }

    /// Closes the windows that are over at this time, or all.
    async fn record_rest(&self, over_at: Option<Timestamp>) -> Result<(), StoreError> {
        let mut taken = self.take(over_at);
        while !taken.windows.is_empty() {
            let from = taken.windows.len().saturating_sub(BATCH);
            let at = self.clock.now();
            let batch = taken.windows.get(from..).unwrap_or_default().iter();
            let rests = batch.map(|(_, window)| window.rests(|| self.entropy.id(at)));
            let events: Vec<_> = rests.flatten().collect();
            if !events.is_empty() {
                let told = timeout(PATIENCE, self.outbox.record(&events)).await;
                told.unwrap_or_else(|late| Err(StoreError::unavailable(late)))?;
            }
            taken.windows.truncate(from);
        }
        Ok(())
    }

    fn take(&self, over_at: Option<Timestamp>) -> Taken<'_> {
        let mut windows = Vec::new();
        for kept in [&self.given, &self.denied] {
            let mut open = kept.write().unwrap_or_else(PoisonError::into_inner);
            open.retain(|hash, of_hash| {
                of_hash.retain(|window| {
                    let over = over_at.is_none_or(|at| self.is_over(window, at));
                    // Whoever records the first read right now holds it too.
                    if !over || (!window.recorded.initialized() && Arc::strong_count(window) > 1) {
                        return true;
                    }
                    windows.push((*hash, Arc::clone(window)));
                    false
                });
                !of_hash.is_empty()
            });
        }
        Taken {
            shared: self,
            windows,
        }
    }
}
