//! Making changes in steps, and finishing those that others left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cyprob_core::domain::audit::{Action, AuditEvent, Resource};
use cyprob_core::domain::{EventId, OrgCtx, OrgId, Timestamp};
use cyprob_core::ports::EntropyExt as _;
use cyprob_core::ports::store::StoreError;

use super::note::Note;
use super::places::{ABANDONED, PATIENCE, PROMPT, Place, Places, Queued, patient};
use super::{OrgSecret, OrgSecretError, OrgSecretsParts, draw};
use crate::domain::{Drawing, OrgSecretPath, SecretName, SecretValue, SecretVersion};
use crate::ports::{Expected, PutOutcome, SecretError, SecretProvider};
use crate::service::{ReadTrail, SecretReader, SecretResolver, Served};

/// How often a change is begun while other processes make theirs.
const TRIES: u32 = 20;
/// The time between.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) parts: OrgSecretsParts,
    pub(super) places: Places,
    reader: SecretReader,
    reads: ReadTrail,
    /// Changes whose event is recorded and whose note could not be taken away.
    pub(super) recorded: Mutex<BTreeSet<EventId>>,
    /// The version at which an organization's place had no note.
    pub(super) settled: Mutex<BTreeMap<OrgId, SecretVersion>>,
    /// Held by the one round that looks at every organization.
    pub(super) settling: tokio::sync::Mutex<()>,
    /// Changes that the store may still make, and since when nobody waits for it.
    pub(super) doubted: Mutex<BTreeMap<EventId, (OrgId, Timestamp)>>,
}

/// What becomes of a secret.
pub(super) enum Change {
    Put(SecretValue),
    Rotate(Drawing),
    Delete,
}

/// A change that is noted.
struct Begun {
    place: Place,
    note: Note,
    before: Option<SecretVersion>,
    at: Timestamp,
}

impl Change {
    const fn action(&self) -> Action {
        match self {
            Self::Put(_) => Action::SecretStored,
            Self::Rotate(_) => Action::SecretRotated,
            Self::Delete => Action::SecretDeleted,
        }
    }
}

/// Whether nothing changed, for certain: a deletion may be refused in its middle.
const fn is_refused(error: &OrgSecretError, change: &Change) -> bool {
    match error {
        OrgSecretError::Conflict(_) | OrgSecretError::NotFound => true,
        OrgSecretError::Secrets(SecretError::Refused { .. }) => !matches!(change, Change::Delete),
        _ => false,
    }
}

impl Shared {
    pub(super) fn new(parts: OrgSecretsParts) -> Self {
        let provider: Arc<dyn SecretProvider> = Arc::clone(&parts.store) as _;
        // One provider is no duplicate of another.
        let sources = SecretResolver::new().with(provider).unwrap_or_default();
        let places = Places::new(
            Arc::clone(&parts.store),
            parts.base.clone(),
            Arc::clone(&parts.clock),
            parts.entropy.as_ref(),
        );
        Self {
            reader: SecretReader::new(sources, parts.keeping, Arc::clone(&parts.clock)),
            reads: ReadTrail::new(
                Arc::clone(&parts.outbox),
                Arc::clone(&parts.clock),
                Arc::clone(&parts.entropy),
                ReadTrail::WINDOW,
            ),
            places,
            parts,
            recorded: Mutex::default(),
            settled: Mutex::default(),
            settling: tokio::sync::Mutex::default(),
            doubted: Mutex::default(),
        }
    }

    pub(super) async fn read(
        &self,
        org: &OrgCtx,
        name: &SecretName,
    ) -> Result<Option<Served>, OrgSecretError> {
        let path = OrgSecretPath::parse(org.org(), name.as_str())?;
        let reference = path.resolve(&self.parts.base)?;
        let given = self
            .reads
            .read(&self.reader, org.caller(), &reference, Some(&path));
        Ok(given.await?)
    }

    pub(super) async fn close_reads(&self) -> Result<(), OrgSecretError> {
        self.reads.close().await.map_err(OrgSecretError::Trail)
    }

    pub(super) async fn listed(&self, org: OrgId) -> Result<Vec<OrgSecret>, OrgSecretError> {
        let below = self.parts.base.of(org)?;
        let listed = patient(self.parts.store.list(&below)).await?;
        let own = listed.into_iter().filter_map(|secret| {
            let name = secret.name.as_str().strip_prefix(below.as_str())?;
            let path = OrgSecretPath::parse(org, name.strip_prefix('/')?).ok()?;
            Some(OrgSecret {
                name: path.name().clone(),
                version: secret.version,
                stored_at: secret.stored_at,
            })
        });
        Ok(own.collect())
    }

    pub(super) async fn newest(
        &self,
        path: &OrgSecretPath,
    ) -> Result<Option<SecretVersion>, OrgSecretError> {
        let name = path.stored_name(&self.parts.base)?;
        let versions = patient(self.parts.store.versions(&name)).await?;
        Ok(versions.last().copied())
    }

    /// Makes a change in a task of its own: whoever leaves interrupts nothing.
    pub(super) async fn change(
        self: &Arc<Self>,
        org: &OrgCtx,
        name: &SecretName,
        change: Change,
        seen: Option<Expected>,
    ) -> Result<OrgSecret, OrgSecretError> {
        let path = OrgSecretPath::parse(org.org(), name.as_str())?;
        let queued = self.places.queue(org.org())?;
        let (shared, org) = (Arc::clone(self), org.clone());
        let changing =
            tokio::spawn(async move { shared.change_to(&org, &queued, path, change, seen).await });
        let cut_off = || SecretError::unavailable("the change was cut off").into();
        changing.await.unwrap_or_else(|_| Err(cut_off()))
    }

    async fn change_to(
        &self,
        org: &OrgCtx,
        queued: &Queued,
        path: OrgSecretPath,
        change: Change,
        seen: Option<Expected>,
    ) -> Result<OrgSecret, OrgSecretError> {
        let _turn = queued.turn().await?;
        let mut tries = 0;
        let begun = loop {
            match self.begin(org, &path, &change, seen).await {
                // What is in doubt takes longer than anybody waits.
                Err(OrgSecretError::Busy) if tries < TRIES && !self.is_in_doubt(org.org()) => {
                    tries += 1;
                }
                begun => break begun?,
            }
            tokio::time::sleep(PAUSE).await;
        };
        let Begun {
            place,
            note,
            before,
            at,
        } = begun;
        self.doubt(org.org(), note.id());
        let made = self.made(&path, &change, before, at).await;
        self.forget(&path);
        match made {
            Ok(newest) => {
                let event = note.made(newest).ok_or(OrgSecretError::NotFound)?;
                self.tell(note.id(), event).await?;
                self.close(&place, note.id(), at).await;
                self.trim(&path, newest).await;
                let version = newest.or(before).ok_or(OrgSecretError::NotFound)?;
                Ok(OrgSecret {
                    name: path.name().clone(),
                    version,
                    stored_at: Some(at),
                })
            }
            Err(error) if is_refused(&error, &change) => {
                self.believe(note.id());
                // A note that stays is taken away by the next change.
                let _ = self.places.step(&place, None, at).await;
                Err(error)
            }
            // The store may have done it all the same, or do it yet; the note says what to look for.
            Err(error) => {
                self.doubt(org.org(), note.id());
                Err(error)
            }
        }
    }

    /// Records the event of a change, and not for ever.
    pub(super) async fn tell(&self, change: EventId, event: AuditEvent) -> Result<(), StoreError> {
        let events = [event];
        let record = self.parts.outbox.record(&events);
        let told = tokio::time::timeout(PATIENCE, record).await;
        told.unwrap_or_else(|late| Err(StoreError::unavailable(late)))?;
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.insert(change);
        Ok(())
    }

    /// From now on nobody waits any more for what the store makes of a change.
    pub(super) fn doubt(&self, org: OrgId, change: EventId) {
        let at = self.parts.clock.now();
        let mut doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that another process took over.
        doubted.retain(|_, (_, since)| at.since(*since) < ABANDONED + ABANDONED);
        doubted.insert(change, (org, at));
    }

    fn is_in_doubt(&self, org: OrgId) -> bool {
        let at = self.parts.clock.now();
        let doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of_org = doubted.values().filter(|(of, _)| *of == org);
        of_org.any(|(_, since)| at.since(*since) < ABANDONED)
    }

    /// What became of a change is known.
    fn believe(&self, change: EventId) {
        let mut doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        doubted.remove(&change);
    }

    /// Notes the change, if it is permitted and nobody else's is under way.
    async fn begin(
        &self,
        org: &OrgCtx,
        path: &OrgSecretPath,
        change: &Change,
        seen: Option<Expected>,
    ) -> Result<Begun, OrgSecretError> {
        let place = self.free(org.org()).await?;
        let before = self.newest(path).await?;
        self.permitted(path, change, before, seen).await?;
        let at = self.parts.clock.now();
        let on = Resource::new("secret", path.name());
        let id = self.parts.entropy.id(at);
        let event = AuditEvent::new(id, at, org.caller(), change.action(), on).in_org(org.org());
        let note = Note::new(self.places.process(), at, path, before, event);
        // Whoever was faster made a step, and what was read before it counts no more.
        let noted = self.places.step(&place, Some(note.clone()), at).await?;
        let place = noted.ok_or(OrgSecretError::Busy)?;
        if self.parts.clock.now().since(at) >= PROMPT {
            // A note that stays is taken away by the next change.
            let _ = self.places.step(&place, None, at).await;
            return Err(OrgSecretError::Busy);
        }
        Ok(Begun {
            place,
            note,
            before,
            at,
        })
    }

    /// The organization's place without a note: one that is there is finished first.
    async fn free(&self, org: OrgId) -> Result<Place, OrgSecretError> {
        let place = self.places.look(org).await?;
        if place.open.is_none() {
            return Ok(place);
        }
        self.finish(org, place).await?;
        self.places.look(org).await
    }

    async fn permitted(
        &self,
        path: &OrgSecretPath,
        change: &Change,
        before: Option<SecretVersion>,
        seen: Option<Expected>,
    ) -> Result<(), OrgSecretError> {
        if before.is_none() && !matches!(change, Change::Put(_)) {
            return Err(OrgSecretError::NotFound);
        }
        if seen.is_some_and(|seen| seen.version() != before) {
            return Err(OrgSecretError::Conflict(before));
        }
        match before {
            Some(_) => Ok(()),
            None => self.has_room(path).await,
        }
    }

    /// Whether the organization may have one more secret, of this name.
    async fn has_room(&self, path: &OrgSecretPath) -> Result<(), OrgSecretError> {
        let limits = self.parts.limits;
        if self.listed(path.org()).await?.len() >= limits.secrets {
            return Err(OrgSecretError::TooMany);
        }
        let below = self.parts.base.of(path.org())?;
        let taken = patient(self.parts.store.taken(&below)).await?;
        if taken.len() >= limits.names && !taken.contains(&path.stored_name(&self.parts.base)?) {
            return Err(OrgSecretError::TooManyNames);
        }
        Ok(())
    }

    /// Makes the change; the newest version after it.
    async fn made(
        &self,
        path: &OrgSecretPath,
        change: &Change,
        before: Option<SecretVersion>,
        at: Timestamp,
    ) -> Result<Option<SecretVersion>, OrgSecretError> {
        let (store, name) = (&self.parts.store, path.stored_name(&self.parts.base)?);
        let drawn;
        let value = match change {
            Change::Put(value) => value,
            Change::Rotate(drawing) => {
                drawn = draw::draw(*drawing, self.parts.entropy.as_ref())
                    .map_err(SecretError::unavailable)?;
                &drawn
            }
            Change::Delete => {
                return match patient(store.delete(&name)).await? {
                    true => Ok(None),
                    false => Err(OrgSecretError::NotFound),
                };
            }
        };
        let expected = before.map_or(Expected::Absent, Expected::Version);
        match patient(store.put(&name, value, expected, at)).await? {
            PutOutcome::Stored(version) => Ok(Some(version)),
            PutOutcome::Conflict(newest) => Err(OrgSecretError::Conflict(newest)),
        }
    }

    /// Takes the note of a change away.
    pub(super) async fn close(&self, place: &Place, change: EventId, at: Timestamp) {
        self.believe(change);
        let closed = self.places.step(place, None, at).await;
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        // Where it stays it is known here what was recorded.
        if closed.is_ok() {
            recorded.remove(&change);
        }
    }

    /// Removes the versions past the bound; what stays is removed after the next change.
    async fn trim(&self, path: &OrgSecretPath, newest: Option<SecretVersion>) {
        let Some(newest) = newest else { return };
        let kept = self.parts.limits.versions.get();
        let oldest = newest.get().saturating_sub(kept.saturating_sub(1));
        if let Some(oldest) = SecretVersion::new(oldest)
            && let Ok(name) = path.stored_name(&self.parts.base)
        {
            let _ = patient(self.parts.store.delete_before(&name, oldest)).await;
        }
    }

    pub(super) fn forget(&self, path: &OrgSecretPath) {
        if let Ok(reference) = path.resolve(&self.parts.base) {
            self.reader.forget(&reference);
        }
    }
}
