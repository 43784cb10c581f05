//! Secrets, kept fresh in memory.

mod entry;
mod served;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cyprob_core::domain::Timestamp;
use cyprob_core::ports::Clock;
use foldhash::quality::RandomState;

use self::entry::{Answer, Call, Entry, Turn, Waiting};
use self::served::Held;
use super::SecretResolver;
use crate::domain::{Keeping, SecretRef};
use crate::ports::SecretError;

pub use self::served::{Freshness, Served};

/// How long a source may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many secrets are kept at most, but for those that are asked for at the moment.
const MOST: usize = 10_000;

/// Reads secrets through memory: at most one call for one secret is on its way at a time.
///
/// What its source withdraws is gone at the next answer: a secret that is not
/// there any more, that the source will not give, or that cannot be vouched for.
/// A source that is out of reach leaves what is in memory up to the bound of
/// [`Keeping`], and what is served from there says its age. It is asked again
/// after a tenth of a second, and then twice as long each time, up to ten
/// seconds; until then everybody gets the same answer at once. So does, for twenty
/// seconds more, everybody whose secret is in memory within the bound, while the
/// source is asked in the background: nobody who reads all the time waits in an
/// outage, and who comes later waits for what the source says by then.
///
/// Calls run in tasks of their own, so a caller that leaves strands nobody.
#[derive(Clone, Debug)]
pub struct SecretReader(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sources: SecretResolver,
    keeping: Keeping,
    clock: Arc<dyn Clock>,
    entries: RwLock<Entries>,
}

/// By references that the host chose, or that name what is there: no stranger fills it, so a
/// seed that is drawn for it is enough against keys that meet.
type Entries = HashMap<SecretRef, Arc<Entry>, RandomState>;

impl SecretReader {
    /// Reads from these sources, and keeps what they say for so long.
    #[must_use]
    pub fn new(sources: SecretResolver, keeping: Keeping, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared {
            sources,
            keeping,
            clock,
            entries: RwLock::default(),
        }))
    }

    /// Reads a secret; `None` if there is none.
    ///
    /// It must be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`SecretError::Unavailable`] if the source is out of reach and nothing in
    /// memory is within the bound; else what the source says.
    pub async fn read(&self, reference: &SecretRef) -> Result<Option<Served>, SecretError> {
        let at = self.0.clock.now();
        if let Some(served) = self.0.fresh(reference, at) {
            return Ok(Some(served));
        }
        let entry = self.0.entry(reference);
        let answer = match (self.0.asked(reference, &entry, at), entry.outage(at)) {
            // Where the last call failed just now, whoever can be served does not wait for this one.
            (Ok(_), Some(cause)) if self.0.is_servable(&entry, at) => Answer::Outage(cause),
            (Ok(waiting), _) => told(waiting).await,
            (Err(cause), _) => Answer::Outage(cause),
        };
        self.0.served(answer, &entry)
    }

    /// How long secrets are kept.
    #[must_use]
    pub fn keeping(&self) -> Keeping {
        self.0.keeping
    }

    /// Forgets a secret, as after it was changed: the next who reads it waits for its source.
    pub fn forget(&self, reference: &SecretRef) {
        if let Some(entry) = self.0.known(reference) {
            entry.forget();
        }
    }
}

/// What came of a call that somebody makes.
async fn told(mut waiting: Waiting) -> Answer {
    let told = waiting.wait_for(Option::is_some).await;
    let told = told.ok().and_then(|told| told.clone());
    // Who made it is gone, as when the runtime ends.
    told.unwrap_or_else(|| {
        let gone = SecretError::unavailable("the call for the secret was given up");
        Answer::Outage(Arc::new(gone))
    })
}

impl Shared {
    /// What is in memory and fresh; towards its end its source is asked in the background.
    fn fresh(self: &Arc<Self>, reference: &SecretRef, at: Timestamp) -> Option<Served> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(reference)?;
        let held = entry.held()?;
        let age = at.since(held.asked_at);
        if age >= self.keeping.fresh() {
            return None;
        }
        if age >= self.keeping.refresh() {
            let entry = Arc::clone(entry);
            drop(entries);
            drop(self.asked(reference, &entry, at));
        }
        Some(Served::fresh(held, age))
    }

    fn known(&self, reference: &SecretRef) -> Option<Arc<Entry>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(reference).map(Arc::clone)
    }

    /// The secret's place, made if there is none; where all are taken, those asked for longest ago give way.
    fn entry(&self, reference: &SecretRef) -> Arc<Entry> {
        if let Some(entry) = self.known(reference) {
            return entry;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST && !entries.contains_key(reference) {
            self.make_room(&mut entries);
        }
        Arc::clone(entries.entry(reference.clone()).or_default())
    }

    /// Drops what could not be served any more, and if that is not enough the older half of the rest.
    ///
    /// What somebody waits for stays.
    fn make_room(&self, entries: &mut Entries) {
        let asked_at = |entry: &Entry| entry.held().map(|held| held.asked_at);
        // Who is about to ask or waits holds it too.
        let waited_for = |entry: &Arc<Entry>| Arc::strong_count(entry) > 1 || entry.is_asked();
        let newer = |entries: &mut Entries, than: Timestamp| {
            entries.retain(|_, entry| {
                waited_for(entry) || asked_at(entry).is_some_and(|at| at > than)
            });
        };
        newer(entries, self.clock.now().before(self.keeping.stale()));
        if entries.len() < MOST {
            return;
        }
        let mut times: Vec<_> = entries.values().filter_map(|e| asked_at(e)).collect();
        times.sort_unstable();
        if let Some(middle) = times.get(times.len() / 2) {
            newer(entries, *middle);
        }
    }

    /// Joins the call that is on its way, or makes one; the cause, if the source was out of reach a moment ago.
    fn asked(
        self: &Arc<Self>,
        reference: &SecretRef,
        entry: &Arc<Entry>,
        at: Timestamp,
    ) -> Result<Waiting, Arc<SecretError>> {
        match entry.turn(at) {
            Turn::Wait(waiting) => Ok(waiting),
            Turn::Pause(cause) => Err(cause),
            Turn::Call(call) => {
                let waiting = call.waiting();
                let (shared, reference) = (Arc::clone(self), reference.clone());
                tokio::spawn(async move { shared.call(&reference, call, at).await });
                Ok(waiting)
            }
        }
    }

    /// Whether what is in memory is within the bound.
    fn is_servable(&self, entry: &Entry, at: Timestamp) -> bool {
        let held = entry.held();
        held.is_some_and(|held| at.since(held.asked_at) < self.keeping.stale())
    }

    async fn call(&self, reference: &SecretRef, call: Call, asked_at: Timestamp) {
        let read = tokio::time::timeout(PATIENCE, self.sources.read(reference)).await;
        let answer = match read {
            Ok(Ok(Some(secret))) => Answer::Found(Arc::new(Held { secret, asked_at })),
            Ok(Ok(None)) => Answer::Missing,
            Ok(Err(error @ SecretError::Unavailable { .. })) => Answer::Outage(Arc::new(error)),
            Ok(Err(error)) => Answer::Refused(Arc::new(error)),
            Err(late) => Answer::Outage(Arc::new(SecretError::unavailable(late))),
        };
        call.answered(answer, self.clock.now());
    }

    /// What a reader gets who waited for this answer.
    fn served(&self, answer: Answer, entry: &Entry) -> Result<Option<Served>, SecretError> {
        let at = self.clock.now();
        match answer {
            Answer::Found(held) => {
                let age = at.since(held.asked_at);
                if age < self.keeping.fresh() {
                    return Ok(Some(Served::fresh(held, age)));
                }
                // The answer itself was on its way for so long.
                let late = SecretError::unavailable("the answer came late");
                match age < self.keeping.stale() {
                    true => Ok(Some(Served::stale(held, age, Arc::new(late)))),
                    false => Err(late),
                }
            }
            Answer::Missing => Ok(None),
            Answer::Refused(error) => Err(SecretError::clone(&error)),
            Answer::Outage(cause) => {
                let held = entry.held().map(|held| {
                    let age = at.since(held.asked_at);
                    (held, age)
                });
                match held.filter(|(_, age)| *age < self.keeping.stale()) {
                    Some((held, age)) => Ok(Some(Served::stale(held, age, cause))),
                    None => Err(SecretError::clone(&cause)),
                }
            }
        }
    }
}
