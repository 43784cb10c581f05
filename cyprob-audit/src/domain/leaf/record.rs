//! What a leaf says.

use std::collections::BTreeMap;

use cyprob_core::domain::audit::{Action, Actor, AuditEvent, MetaValue, Outcome, Resource};
use cyprob_core::domain::{EventId, OrgId, RequestId, Timestamp};

use super::SealedValue;

/// An event as the log keeps it; `P` is what stands for a personal value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafRecord<P> {
    /// The event's own id.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// The organization in whose log it is.
    pub org: Option<OrgId>,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// With what result.
    pub outcome: Outcome,
    /// A stable code that says why.
    pub reason: Option<String>,
    /// In which request.
    pub request_id: Option<RequestId>,
    /// Whence: the peer's address.
    pub ip_address: Option<P>,
    /// Whence: what the client calls itself.
    pub user_agent: Option<P>,
    /// What else.
    pub metadata: BTreeMap<String, LeafValue<P>>,
    /// The SHA-256 of the canonical metadata where it is kept aside for its
    /// size; then `metadata` is empty.
    pub metadata_sha256: Option<[u8; 32]>,
}

/// A value of a leaf's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeafValue<P> {
    /// Public text.
    Text(String),
    /// A public number.
    Count(i64),
    /// A personal value.
    Personal(P),
}

/// A personal value, as far as it can be read.
#[derive(Clone, PartialEq, Eq)]
pub enum Personal {
    /// The value.
    Clear(String),
    /// Its key is gone: nobody can read it again.
    Erased,
    /// Its key is there and does not fit: the sealed value was altered or moved.
    Unreadable,
}

/// Hides the value.
impl std::fmt::Debug for Personal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Clear(_) => "(personal)",
            Self::Erased => "(erased)",
            Self::Unreadable => "(unreadable)",
        })
    }
}

/// A leaf as it is stored: personal values sealed.
pub type Leaf = LeafRecord<SealedValue>;

/// A leaf with its personal values opened.
pub type OpenedLeaf = LeafRecord<Personal>;

/// An event that is not placed yet, as it will read once it is.
impl From<AuditEvent> for OpenedLeaf {
    fn from(event: AuditEvent) -> Self {
        let value = |value| match value {
            MetaValue::Public { value } => LeafValue::Text(value),
            MetaValue::Count { value } => LeafValue::Count(value),
            MetaValue::Personal { value, .. } => LeafValue::Personal(Personal::Clear(value)),
        };
        let metadata = event.metadata.into_iter();
        Self {
            id: event.id,
            at: event.at,
            org: event.org,
            actor: event.actor,
            action: event.action,
            resource: event.resource,
            outcome: event.outcome,
            reason: event.reason,
            request_id: event.request_id,
            ip_address: event
                .origin
                .ip_address
                .map(|ip| Personal::Clear(ip.to_string())),
            user_agent: event.origin.user_agent.map(Personal::Clear),
            metadata: metadata.map(|(name, meta)| (name, value(meta))).collect(),
            metadata_sha256: None,
        }
    }
}

impl<P> LeafRecord<P> {
    /// The same event with each personal value replaced; the function gets the field's name too.
    pub(super) fn map<Q>(self, mut each: impl FnMut(&str, P) -> Q) -> LeafRecord<Q> {
        LeafRecord {
            id: self.id,
            at: self.at,
            org: self.org,
            actor: self.actor,
            action: self.action,
            resource: self.resource,
            outcome: self.outcome,
            reason: self.reason,
            request_id: self.request_id,
            ip_address: self.ip_address.map(|value| each("ip_address", value)),
            user_agent: self.user_agent.map(|value| each("user_agent", value)),
            metadata: self
                .metadata
                .into_iter()
                .map(|(name, value)| {
                    let value = match value {
                        LeafValue::Text(text) => LeafValue::Text(text),
                        LeafValue::Count(count) => LeafValue::Count(count),
                        LeafValue::Personal(value) => {
                            LeafValue::Personal(each(&format!("metadata.{name}"), value))
                        }
                    };
                    (name, value)
                })
                .collect(),
            metadata_sha256: self.metadata_sha256,
        }
    }
}
