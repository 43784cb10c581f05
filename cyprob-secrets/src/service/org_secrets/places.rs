//! The places of notes: who changes an organization's secrets, one at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use cyprob_core::domain::{OrgId, Timestamp};
use cyprob_core::ports::{Clock, Entropy};
use secrecy::ExposeSecret as _;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::OrgSecretError;
use super::note::{self, Note};
use crate::domain::{LocalRef, OrgSecretBase, SecretName, SecretRef, SecretVersion, SourceVersion};
use crate::ports::{Expected, PutOutcome, SecretError, SecretStore};

/// How long the store may take for one step.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to name every organization, of which nobody waits for it.
const ROUND: Duration = Duration::from_secs(300);
/// How long a process may take from its note to its change; then it makes none.
pub(super) const PROMPT: Duration = Duration::from_secs(10);
/// After how long another process finishes a change whose own did not, and after how long what
/// nobody waits for any more does not reach the store any more.
pub(super) const ABANDONED: Duration = Duration::from_secs(30);
/// How many changes of one organization wait for their turn in this process.
const WAITING: usize = 32;

/// Where notes are, and whose turn it is in this process.
#[derive(Debug)]
pub(super) struct Places {
    store: Arc<dyn SecretStore>,
    base: OrgSecretBase,
    clock: Arc<dyn Clock>,
    /// The name of this process among those that share the store.
    process: String,
    turns: std::sync::Mutex<BTreeMap<OrgId, Weak<Turn>>>,
}

/// Whose turn it is to change an organization's secrets.
#[derive(Debug)]
struct Turn {
    lock: Arc<Mutex<()>>,
    waiting: Arc<Semaphore>,
}

/// A place in the line of those who change an organization's secrets.
#[derive(Debug)]
pub(super) struct Queued {
    turn: Arc<Turn>,
    _place: OwnedSemaphorePermit,
}

impl Queued {
    /// Waits until nobody else in this process changes secrets of the organization.
    pub(super) async fn turn(&self) -> Result<OwnedMutexGuard<()>, OrgSecretError> {
        let waited = timeout(PATIENCE, Arc::clone(&self.turn.lock).lock_owned()).await;
        waited.map_err(|_| OrgSecretError::Busy)
    }
}

/// A place as it was read; a step from it is refused if somebody else made one.
#[derive(Clone, Debug)]
pub(super) struct Place {
    name: SecretName,
    version: Option<SecretVersion>,
    pub(super) open: Option<Note>,
}

/// Waits for the store, and not for ever.
pub(super) async fn patient<T>(
    step: impl Future<Output = Result<T, SecretError>>,
) -> Result<T, SecretError> {
    within(PATIENCE, step).await
}

async fn within<T>(
    bound: Duration,
    step: impl Future<Output = Result<T, SecretError>>,
) -> Result<T, SecretError> {
    let done = timeout(bound, step).await;
    done.unwrap_or_else(|late| Err(SecretError::unavailable(late)))
}

impl Place {
    pub(super) const fn version(&self) -> Option<SecretVersion> {
        self.version
    }
}

impl Places {
    pub(super) fn new(
        store: Arc<dyn SecretStore>,
        base: OrgSecretBase,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> Self {
        use cyprob_core::ports::EntropyExt as _;
        let random = u128::from_be_bytes(entropy.bytes());
        Self {
            store,
            base,
            clock,
            process: format!("{random:032x}"),
            turns: std::sync::Mutex::default(),
        }
    }

    pub(super) fn process(&self) -> &str {
        &self.process
    }

    /// Takes a place in the line of an organization; one has no part in another's.
    pub(super) fn queue(&self, org: OrgId) -> Result<Queued, OrgSecretError> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.get(&org).and_then(Weak::upgrade).unwrap_or_else(|| {
            turns.retain(|_, turn| turn.strong_count() > 0);
            let turn = Arc::new(Turn {
                lock: Arc::default(),
                waiting: Arc::new(Semaphore::new(WAITING)),
            });
            turns.insert(org, Arc::downgrade(&turn));
            turn
        });
        let place = Arc::clone(&turn.waiting).try_acquire_owned();
        Ok(Queued {
            _place: place.map_err(|_| OrgSecretError::Busy)?,
            turn,
        })
    }

    /// The organizations that ever had a note, with the version of their place.
    pub(super) async fn known(&self) -> Result<Vec<(OrgId, SecretVersion)>, OrgSecretError> {
        let changes = self.base.changes()?;
        let listed = within(ROUND, self.store.list(&changes)).await?;
        let org = |name: &SecretName| name.as_str().rsplit('/').next()?.parse().ok();
        let known = listed
            .iter()
            .filter_map(|place| Some((org(&place.name)?, place.version)));
        Ok(known.collect())
    }

    pub(super) async fn look(&self, org: OrgId) -> Result<Place, OrgSecretError> {
        let name = self.base.changes()?.join(&org.to_string())?;
        let reference = SecretRef::Local(LocalRef::new(name.clone(), None));
        let found = patient(self.store.read(&reference)).await?;
        let Some(secret) = found else {
            return Ok(Place {
                name,
                version: None,
                open: None,
            });
        };
        let number = secret.version.as_ref().and_then(SourceVersion::number);
        Ok(Place {
            name,
            version: number,
            open: note::read(secret.value.expose_secret())?,
        })
    }

    /// Puts a note, or takes it away; `None` if somebody else made a step since the place was read.
    pub(super) async fn step(
        &self,
        from: &Place,
        open: Option<Note>,
        at: Timestamp,
    ) -> Result<Option<Place>, OrgSecretError> {
        let value = note::write(open.as_ref())?;
        let expected = from.version.map_or(Expected::Absent, Expected::Version);
        let put = patient(self.store.put(&from.name, &value, expected, at)).await?;
        let PutOutcome::Stored(version) = put else {
            return Ok(None);
        };
        // What stays is taken away by the next step.
        let _ = patient(self.store.delete_before(&from.name, version)).await;
        Ok(Some(Place {
            name: from.name.clone(),
            version: Some(version),
            open,
        }))
    }

    /// Takes over what a process left, if that can be; `None` if there is nothing.
    pub(super) async fn inherit(
        &self,
        place: Place,
    ) -> Result<Option<(Place, Note)>, OrgSecretError> {
        let Some(note) = place.open.clone() else {
            return Ok(None);
        };
        let at = self.clock.now();
        // INVARIANT: it is this process's turn, so none of its own is under way.
        let is_own = note.process == self.process;
        if !is_own && at.since(note.since()) < ABANDONED {
            return Err(OrgSecretError::Busy);
        }
        // Its own too: from here on no other process takes it over for half a minute.
        let note = note.taken_over(&self.process, at);
        let taken = self.step(&place, Some(note.clone()), at).await?;
        taken
            .map(|place| Some((place, note)))
            .ok_or(OrgSecretError::Busy)
    }
}
