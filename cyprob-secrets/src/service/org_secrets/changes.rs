//! Making changes in steps, and finishing those that others left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cyprob_core::domain::audit::{Action, AuditEvent, Resource};
use cyprob_core::domain::{EventId, OrgCtx, OrgId, Timestamp};
use cyprob_core::ports::EntropyExt as _;

use super::note::Note;
use super::places::{PROMPT, Place, Places, patient};
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
    parts: OrgSecretsParts,
    places: Places,
    reader: SecretReader,
    reads: ReadTrail,
    /// Changes whose event is recorded and whose note could not be taken away.
    recorded: Mutex<BTreeSet<EventId>>,
    /// The version at which an organization's place had no note.
    settled: Mutex<BTreeMap<OrgId, SecretVersion>>,
}

/// What becomes of a secret.
pub(super) enum Change<'a> {
    Put(&'a SecretValue),
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

impl Change<'_> {
    const fn action(&self) -> Action {
        match self {
            Self::Put(_) => Action::SecretStored,
            Self::Rotate(_) => Action::SecretRotated,
            Self::Delete => Action::SecretDeleted,
        }
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
        }
    }

    pub(super) async fn read(
        &self,
        org: &OrgCtx,
        name: &SecretName,
    ) -> Result<Option<Served>, OrgSecretError> {
        let path = OrgSecretPath::parse(org.org(), name.as_str())?;
        let reference = path.resolve(&self.parts.base)?;
        let Some(served) = self.reader.read(&reference).await? else {
            return Ok(None);
        };
        let told = self.reads.given(org.caller(), &path, &reference, &served);
        told.await.map_err(OrgSecretError::Trail)?;
        Ok(Some(served))
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

    async fn newest(&self, path: &OrgSecretPath) -> Result<Option<SecretVersion>, OrgSecretError> {
        let name = path.stored_name(&self.parts.base)?;
        let versions = patient(self.parts.store.versions(&name)).await?;
        Ok(versions.last().copied())
    }

    pub(super) async fn change(
        &self,
        org: &OrgCtx,
        name: &SecretName,
        change: Change<'_>,
        seen: Option<Expected>,
    ) -> Result<OrgSecret, OrgSecretError> {
        let path = OrgSecretPath::parse(org.org(), name.as_str())?;
        let _turn = self.places.turn(org.org()).await?;
        let mut tries = 0;
        let begun = loop {
            match self.begin(org, &path, &change, seen).await {
                Err(OrgSecretError::Busy) if tries < TRIES => tries += 1,
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
        let made = self.made(&path, &change, before, at).await;
        self.forget(&path);
        match made {
            Ok(newest) => {
                let event = note.made(newest).ok_or(OrgSecretError::NotFound)?;
                self.parts.outbox.record(&[event]).await?;
                self.close(&place, note.id(), at).await;
                self.trim(&path, newest).await;
                let version = newest.or(before).ok_or(OrgSecretError::NotFound)?;
                Ok(OrgSecret {
                    name: path.name().clone(),
                    version,
                    stored_at: Some(at),
                })
            }
            // Nothing changed, for certain.
            Err(error @ (OrgSecretError::Conflict(_) | OrgSecretError::NotFound)) => {
                self.places.step(&place, None, at).await?;
                Err(error)
            }
            // The store may have done it all the same; the note says what to look for.
            Err(error) => Err(error),
        }
    }

    /// Notes the change, if it is permitted and nobody else's is under way.
    async fn begin(
        &self,
        org: &OrgCtx,
        path: &OrgSecretPath,
        change: &Change<'_>,
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
            self.places.step(&place, None, at).await?;
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
        change: &Change<'_>,
        before: Option<SecretVersion>,
        seen: Option<Expected>,
    ) -> Result<(), OrgSecretError> {
        if before.is_none() && !matches!(change, Change::Put(_)) {
            return Err(OrgSecretError::NotFound);
        }
        if seen.is_some_and(|seen| seen.version() != before) {
            return Err(OrgSecretError::Conflict(before));
        }
        if before.is_none() && self.listed(path.org()).await?.len() >= self.parts.limits.secrets {
            return Err(OrgSecretError::TooMany);
        }
        Ok(())
    }

    /// Makes the change; the newest version after it.
    async fn made(
        &self,
        path: &OrgSecretPath,
        change: &Change<'_>,
        before: Option<SecretVersion>,
        at: Timestamp,
    ) -> Result<Option<SecretVersion>, OrgSecretError> {
        let (store, name) = (&self.parts.store, path.stored_name(&self.parts.base)?);
        let drawn;
        let value = match change {
            Change::Put(value) => *value,
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

    /// Takes the note of a recorded change away; if that fails it is known here that it is recorded.
    async fn close(&self, place: &Place, change: EventId, at: Timestamp) {
        let closed = self.places.step(place, None, at).await;
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        match closed {
            Ok(_) => recorded.remove(&change),
            Err(_) => recorded.insert(change),
        };
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

    fn forget(&self, path: &OrgSecretPath) {
        if let Ok(reference) = path.resolve(&self.parts.base) {
            self.reader.forget(&reference);
        }
    }

    pub(super) async fn settle(&self) -> Result<usize, OrgSecretError> {
        let mut first = None;
        let mut count = 0;
        for (org, version) in self.places.known().await? {
            if self.is_settled(org, version) {
                continue;
            }
            match self.settle_one(org).await {
                Ok(finished) => count += usize::from(finished),
                // Somebody else is at it.
                Err(OrgSecretError::Busy) => {}
                Err(error) => first = first.or(Some(error)),
            }
        }
        first.map_or(Ok(count), Err)
    }

    fn is_settled(&self, org: OrgId, version: SecretVersion) -> bool {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.get(&org) == Some(&version)
    }

    async fn settle_one(&self, org: OrgId) -> Result<bool, OrgSecretError> {
        let _turn = self.places.turn(org).await?;
        let place = self.places.look(org).await?;
        if place.open.is_some() {
            return self.finish(org, place).await;
        }
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.extend(place.version().map(|version| (org, version)));
        Ok(false)
    }

    /// Finishes the change of a note: records it if it was made.
    async fn finish(&self, org: OrgId, place: Place) -> Result<bool, OrgSecretError> {
        let Some((place, note)) = self.places.inherit(place).await? else {
            return Ok(false);
        };
        let path = note.path(org)?;
        let made = note.made(self.newest(&path).await?);
        self.forget(&path);
        if let Some(event) = made
            && !self.is_recorded(note.id())
        {
            let event = note.again(event, self.parts.entropy.as_ref());
            self.parts.outbox.record(&[event]).await?;
        }
        self.close(&place, note.id(), self.parts.clock.now()).await;
        Ok(true)
    }

    fn is_recorded(&self, change: EventId) -> bool {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.contains(&change)
    }
}
