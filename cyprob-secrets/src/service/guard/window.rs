//! The reads of one kind within a window.

use std::hash::{BuildHasher, Hash, Hasher as _};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use cyprob_core::domain::audit::{Action, Actor, AuditEvent, MetaValue, Outcome, Resource};
use cyprob_core::domain::{Caller, EventId, OrgId, Timestamp};
use tokio::sync::OnceCell;

use crate::domain::{OrgSecretPath, SecretName, SecretRef, SourceVersion};

/// What became of a read.
#[derive(Clone, Copy, Debug)]
pub(super) struct What<'a> {
    /// Whose log it belongs in, and what the secret is called there.
    org: Option<(OrgId, &'a SecretName)>,
    reference: &'a SecretRef,
    version: Option<&'a SourceVersion>,
    outcome: Outcome,
}

impl<'a> What<'a> {
    pub(super) const fn denied(reference: &'a SecretRef) -> Self {
        Self {
            org: None,
            reference,
            version: None,
            outcome: Outcome::Denied,
        }
    }

    /// The read of the host's own secret, or of an organization's for its own log.
    pub(super) fn given(
        reference: &'a SecretRef,
        version: Option<&'a SourceVersion>,
        of: Option<&'a OrgSecretPath>,
    ) -> Self {
        Self {
            org: of.map(|path| (path.org(), path.name())),
            reference,
            version,
            outcome: Outcome::Success,
        }
    }

    pub(super) const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The same for all reads that are counted together.
    pub(super) fn hash(&self, actor: &Actor, hasher: &impl BuildHasher) -> u64 {
        let mut state = hasher.build_hasher();
        (actor, self.org, self.reference).hash(&mut state);
        (self.version, self.outcome).hash(&mut state);
        state.finish()
    }
}

fn count(more: u64) -> MetaValue {
    MetaValue::count(i64::try_from(more).unwrap_or(i64::MAX))
}

/// The reads of one version by one actor, or their refusals, since the first of them.
#[derive(Debug)]
pub(super) struct Window {
    /// Who read first, and in which request.
    caller: Caller,
    org: Option<(OrgId, SecretName)>,
    reference: SecretRef,
    version: Option<SourceVersion>,
    outcome: Outcome,
    pub(super) first_at: Timestamp,
    last_at: AtomicI64,
    /// How many came after the first.
    more: AtomicU64,
    /// Under which id it was recorded first, or perhaps not.
    first_tried: OnceLock<EventId>,
    /// The event of the first one, once it is recorded.
    pub(super) recorded: OnceCell<EventId>,
    /// What the trail was told of those that came after it, and may or may not have taken.
    tried: Mutex<Vec<Tried>>,
}

/// A number of reads that was on its way to the trail.
#[derive(Clone, Copy, Debug)]
struct Tried {
    id: EventId,
    reads: u64,
    until: Timestamp,
}

impl Window {
    pub(super) fn open(caller: &Caller, what: What<'_>, at: Timestamp) -> Self {
        Self {
            caller: caller.clone(),
            org: what.org.map(|(org, name)| (org, name.clone())),
            reference: what.reference.clone(),
            version: what.version.cloned(),
            outcome: what.outcome,
            first_at: at,
            last_at: AtomicI64::new(at.as_micros()),
            more: AtomicU64::new(0),
            first_tried: OnceLock::new(),
            recorded: OnceCell::new(),
            tried: Mutex::default(),
        }
    }

    pub(super) const fn outcome(&self) -> Outcome {
        self.outcome
    }

    pub(super) fn is_of(&self, actor: &Actor, what: &What<'_>) -> bool {
        self.outcome == what.outcome
            && self.version.as_ref() == what.version
            && self.reference == *what.reference
            && self.org.as_ref().map(|(org, name)| (*org, name)) == what.org
            && self.caller.actor == *actor
    }

    /// Counts one more, if the first one is recorded.
    pub(super) fn count(&self, at: Timestamp) -> bool {
        if !self.recorded.initialized() {
            return false;
        }
        self.more.fetch_add(1, Ordering::Relaxed);
        self.last_at.fetch_max(at.as_micros(), Ordering::Relaxed);
        true
    }

    /// The event of the first read; where the trail may have one of it already, that is named.
    pub(super) fn first(&self, id: EventId) -> AuditEvent {
        let tried = *self.first_tried.get_or_init(|| id);
        let event = self.event(id, self.first_at);
        match tried == id {
            true => event,
            false => event.with("again", MetaValue::public(tried)),
        }
    }

    /// The events of those that came after it; none if none did, or if the first is not recorded.
    ///
    /// What was tried before is told again with the same number, under an id of its own, which the
    /// log takes once; it names the attempt. So no read is counted in two numbers.
    ///
    /// INVARIANT: nobody else counts in this window or closes it meanwhile
    pub(super) fn rests(&self, mut id: impl FnMut() -> EventId) -> Vec<AuditEvent> {
        let Some(first) = self.recorded.get() else {
            return Vec::new();
        };
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |id, of: &Tried| {
            let event = self.event(id, of.until).with("reads", count(of.reads));
            let event = event.with("since", MetaValue::public(self.first_at));
            event.with("first", MetaValue::public(first))
        };
        let again = tried
            .iter()
            .map(|of| told(id(), of).with("again", MetaValue::public(of.id)));
        let mut events: Vec<_> = again.collect();
        let before: u64 = tried.iter().map(|of| of.reads).sum();
        let reads = self.more.load(Ordering::Relaxed).saturating_sub(before);
        if reads > 0 {
            let until = Timestamp::from_micros(self.last_at.load(Ordering::Relaxed));
            let id = id();
            let now = Tried { id, reads, until };
            events.push(told(id, &now));
            tried.push(now);
        }
        events
    }

    fn event(&self, id: EventId, at: Timestamp) -> AuditEvent {
        let on = match &self.org {
            Some((_, name)) => Resource::new("secret", name),
            None => Resource::new("secret", &self.reference),
        };
        let mut event = AuditEvent::new(id, at, &self.caller, Action::SecretRead, on);
        if let Some((org, _)) = self.org {
            event = event.in_org(org);
        }
        if self.outcome == Outcome::Denied {
            event = event.with_outcome(Outcome::Denied, "not_granted");
        }
        if let Some(version) = &self.version {
            event = event.with("version", MetaValue::public(version));
        }
        event
    }
}
