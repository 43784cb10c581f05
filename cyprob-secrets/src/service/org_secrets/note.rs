//! The note of a change that is under way, kept beside the secrets until its event is recorded.

use cyprob_core::domain::audit::{Action, AuditEvent, MetaValue};
use cyprob_core::domain::{EventId, OrgId, Timestamp};
use cyprob_core::ports::{Entropy, EntropyExt as _};
use serde::{Deserialize, Serialize};

use crate::domain::{OrgSecretPath, SecretRefError, SecretValue, SecretVersion};
use crate::ports::SecretError;

/// What there is to know of a change by whoever has to finish it. Never a value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Note {
    /// The process that makes the change.
    pub(super) process: String,
    /// Since when, in microseconds.
    since: i64,
    /// The secret, as its organization names it.
    name: String,
    /// The newest version before the change.
    before: Option<u64>,
    /// Whether another process than the one that began it took it over.
    #[serde(default)]
    taken_over: bool,
    /// What is recorded once the change is made.
    event: AuditEvent,
}

/// The place of an organization's notes: one is there, or none.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    open: Option<Note>,
}

impl Note {
    pub(super) fn new(
        process: &str,
        since: Timestamp,
        path: &OrgSecretPath,
        before: Option<SecretVersion>,
        event: AuditEvent,
    ) -> Self {
        Self {
            process: process.to_owned(),
            since: since.as_micros(),
            name: path.name().to_string(),
            before: before.map(SecretVersion::get),
            taken_over: false,
            event,
        }
    }

    /// The same change in the hands of another process.
    pub(super) fn taken_over(mut self, process: &str, since: Timestamp) -> Self {
        self.taken_over |= self.process != process;
        self.process = process.to_owned();
        self.since = since.as_micros();
        self
    }

    /// Whether a process finds it for the first time that did not begin it.
    pub(super) fn is_new_to(&self, process: &str) -> bool {
        !self.taken_over && self.process != process
    }

    pub(super) const fn since(&self) -> Timestamp {
        Timestamp::from_micros(self.since)
    }

    /// The change, by its event.
    pub(super) const fn id(&self) -> EventId {
        self.event.id
    }

    pub(super) fn is_of_deletion(&self) -> bool {
        self.event.action == Action::SecretDeleted
    }

    pub(super) fn path(&self, org: OrgId) -> Result<OrgSecretPath, SecretRefError> {
        OrgSecretPath::parse(org, &self.name)
    }

    /// The event, if the newest version of now shows that the change was made.
    ///
    /// INVARIANT: nobody else changes the secret while the note is there.
    pub(super) fn made(&self, newest: Option<SecretVersion>) -> Option<AuditEvent> {
        let before = self.before.and_then(SecretVersion::new);
        let version = match self.event.action {
            Action::SecretDeleted => before.filter(|_| newest.is_none()),
            _ => newest.filter(|newest| Some(*newest) > before),
        };
        version.map(|version| with_version(self.event.clone(), version))
    }

    /// The same event under an id of its own, which the log takes once; it names the change.
    pub(super) fn again(&self, event: AuditEvent, entropy: &dyn Entropy) -> AuditEvent {
        let id = entropy.id(event.at);
        let event = event.with("change", MetaValue::public(self.event.id));
        AuditEvent { id, ..event }
    }
}

fn with_version(event: AuditEvent, version: SecretVersion) -> AuditEvent {
    let number = i64::try_from(version.get()).unwrap_or(i64::MAX);
    event.with("version", MetaValue::count(number))
}

/// Writes a place down.
pub(super) fn write(open: Option<&Note>) -> Result<SecretValue, SecretError> {
    let place = Place {
        open: open.cloned(),
    };
    let json = serde_json::to_vec(&place).map_err(SecretError::unavailable)?;
    SecretValue::new(json).map_err(SecretError::unavailable)
}

/// Reads it. One of a newer version is not understood, and its organization's secrets stay as they are.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Note>, SecretError> {
    let place: Place = serde_json::from_slice(bytes).map_err(SecretError::unavailable)?;
    Ok(place.open)
}
