//! The reads of one kind within a window.

use std::hash::{BuildHasher, Hash, Hasher as _};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

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

    pub(super) const fn given(
        reference: &'a SecretRef,
        version: Option<&'a SourceVersion>,
    ) -> Self {
        Self {
            org: None,
            reference,
            version,
            outcome: Outcome::Success,
        }
    }

    /// The read of an organization's secret, for its own log.
    pub(super) fn of(mut self, path: &'a OrgSecretPath) -> Self {
        self.org = Some((path.org(), path.name()));
        self
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
    /// The event of the first one, once it is recorded.
    pub(super) recorded: OnceCell<EventId>,
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
            recorded: OnceCell::new(),
        }
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

    /// The event of the first read.
    pub(super) fn first(&self, id: EventId) -> AuditEvent {
        self.event(id, self.first_at)
    }

    /// The event of those that came after it; nothing if none did, or if the first is not recorded.
    pub(super) fn rest(&self, id: EventId) -> Option<AuditEvent> {
        let more = self.more.load(Ordering::Relaxed);
        let first = self.recorded.get().filter(|_| more > 0)?;
        let until = Timestamp::from_micros(self.last_at.load(Ordering::Relaxed));
        let event = self.event(id, until);
        let event = event.with("reads", count(more));
        let event = event.with("since", MetaValue::public(self.first_at));
        Some(event.with("first", MetaValue::public(first)))
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
