//! The event.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Action, Actor, MetaValue, Metadata};
use crate::domain::{Caller, EventId, OrgId, RequestId, Timestamp};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Denied,
    /// It was tried and failed.
    Failure,
}

impl Outcome {
    /// The name in the trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failure => "failure",
        }
    }
}

/// What it was done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The kind of thing, such as `session`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id; empty where there is none to name.
    pub id: String,
}

impl Resource {
    /// A thing of a kind.
    #[must_use]
    pub fn new(kind: &str, id: impl ToString) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.to_string(),
        }
    }
}

/// Where a request came from. Both fields are personal.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestOrigin {
    /// The peer's address.
    pub ip_address: Option<IpAddr>,
    /// What the client calls itself, at most 256 bytes are kept.
    pub user_agent: Option<String>,
}

impl std::fmt::Debug for RequestOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestOrigin(personal)")
    }
}

/// One thing that was done or tried, as the outbox holds it until the log places it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The event's own id.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// The organization in whose log it belongs; without one it belongs in the system log.
    pub org: Option<OrgId>,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// With what result.
    pub outcome: Outcome,
    /// A stable code that says why, for refusals and endings.
    pub reason: Option<String>,
    /// Whence.
    pub origin: RequestOrigin,
    /// In which request.
    pub request_id: Option<RequestId>,
    /// What else.
    pub metadata: Metadata,
}

impl AuditEvent {
    /// A thing that was done, in no organization's log yet.
    #[must_use]
    pub fn new(id: EventId, at: Timestamp, caller: &Caller, action: Action, on: Resource) -> Self {
        Self {
            id,
            at,
            org: None,
            actor: caller.actor.clone(),
            action,
            resource: on,
            outcome: Outcome::Success,
            reason: None,
            origin: caller.origin.clone(),
            request_id: caller.request_id,
            metadata: Metadata::new(),
        }
    }

    /// Puts it in an organization's log.
    #[must_use]
    pub const fn in_org(mut self, org: OrgId) -> Self {
        self.org = Some(org);
        self
    }

    /// Says that it was refused or failed, and why.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome, reason: &str) -> Self {
        self.outcome = outcome;
        self.reason = Some(reason.to_owned());
        self
    }

    /// Says why it was done.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: MetaValue) -> Self {
        self.metadata.insert(name.to_owned(), value);
        self
    }
}
