//! From event to leaf.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cyprob_core::domain::audit::{Actor, AuditEvent, MetaValue};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::VERSION;
use super::canonical::{MAX_SAFE, to_bytes};
use super::key::{KeyOwner, SubjectKey};
use super::record::{Leaf, LeafRecord, LeafValue};
use super::seal::{SealedValue, seal};
use crate::domain::KeyName;

/// Why an event cannot become a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key of an owner was not given.
    #[error("the key for a personal value was not given")]
    MissingKey {
        /// The owner.
        owner: KeyOwner,
    },
    /// Even without its metadata the event passes 32 KiB.
    #[error("the event is larger than 32 KiB")]
    TooLarge,
    /// A value cannot be sealed or written; no value that an event can hold does this.
    #[error("the event has no canonical form")]
    Form,
}

/// The bytes of a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedLeaf {
    /// The entry that the log takes.
    pub bytes: Vec<u8>,
    /// The canonical metadata, sealed as it would stand in the leaf, where it
    /// is too large for it: to be kept aside under its SHA-256.
    pub aside: Option<Vec<u8>>,
}

/// A personal value with its owner, before sealing.
struct Plain<'a> {
    owner: KeyOwner,
    value: &'a str,
}

impl Leaf {
    /// The longest leaf in bytes.
    pub const MAX_BYTES: usize = 32 * 1024;

    /// The owners whose keys sealing this event takes.
    #[must_use]
    pub fn owners(event: &AuditEvent) -> BTreeSet<KeyOwner> {
        let mut owners = BTreeSet::new();
        let ip_address = event.origin.ip_address.map(|address| address.to_string());
        plain(event, ip_address.as_deref()).map(|_, value| owners.insert(value.owner));
        owners
    }

    /// Makes the leaf of an event in the log of this origin.
    ///
    /// The same event, origin and keys always give the same bytes. Metadata
    /// that would make the leaf pass 32 KiB is kept aside and stands in the
    /// leaf by its hash.
    ///
    /// # Errors
    ///
    /// [`SealError::MissingKey`] if `keys` does not give the key of one of [`Leaf::owners`];
    /// [`SealError::TooLarge`] if the event is too large without its metadata.
    pub fn seal<'k>(
        event: &AuditEvent,
        origin: &KeyName,
        keys: impl Fn(KeyOwner) -> Option<&'k SubjectKey>,
    ) -> Result<SealedLeaf, SealError> {
        let ip_address = event.origin.ip_address.map(|address| address.to_string());
        let mut failed = None;
        let sealed = plain(event, ip_address.as_deref()).map(|field, value| {
            let result = keys(value.owner)
                .ok_or(SealError::MissingKey { owner: value.owner })
                .and_then(|key| {
                    seal(key, origin, event.id, field, value.value).ok_or(SealError::Form)
                });
            result
                .map_err(|error| failed.get_or_insert(error).to_owned())
                .ok()
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let mut leaf = sealed.all().ok_or(SealError::Form)?;
        let bytes = leaf.encode().ok_or(SealError::Form)?;
        if bytes.len() <= Self::MAX_BYTES {
            return Ok(SealedLeaf { bytes, aside: None });
        }
        let aside = to_bytes(&metadata(&leaf.metadata)).ok_or(SealError::Form)?;
        leaf.metadata.clear();
        leaf.metadata_sha256 = Some(Sha256::digest(&aside).into());
        let bytes = leaf.encode().ok_or(SealError::Form)?;
        if bytes.len() > Self::MAX_BYTES {
            return Err(SealError::TooLarge);
        }
        Ok(SealedLeaf {
            bytes,
            aside: Some(aside),
        })
    }

    /// The canonical bytes.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("v", VERSION.into());
        put("id", self.id.to_string().into());
        put("time", self.at.to_string().into());
        put("actor", actor(&self.actor));
        put("action", self.action.as_str().into());
        put(
            "resource",
            serde_json::json!({ "type": self.resource.kind, "id": self.resource.id }),
        );
        put("outcome", self.outcome.as_str().into());
        put("metadata", metadata(&self.metadata));
        if let Some(org) = self.org {
            put("org_id", org.to_string().into());
        }
        if let Some(reason) = &self.reason {
            put("reason", reason.as_str().into());
        }
        if let Some(request) = self.request_id {
            put("request_id", request.to_string().into());
        }
        if let Some(value) = &self.ip_address {
            put("ip_address", sealed(value));
        }
        if let Some(value) = &self.user_agent {
            put("user_agent", sealed(value));
        }
        if let Some(digest) = &self.metadata_sha256 {
            put("metadata_sha256", hex::encode(digest).into());
        }
        to_bytes(&Value::Object(fields))
    }
}

impl LeafRecord<Option<SealedValue>> {
    /// The leaf, if every value was sealed.
    fn all(self) -> Option<Leaf> {
        let mut whole = true;
        let leaf = self.map(|_, value| {
            value.unwrap_or_else(|| {
                whole = false;
                SealedValue {
                    key: super::SubjectKeyId::from_bytes([0; 16]),
                    bytes: Vec::new(),
                }
            })
        });
        whole.then_some(leaf)
    }
}

fn plain<'a>(event: &'a AuditEvent, ip_address: Option<&'a str>) -> LeafRecord<Plain<'a>> {
    let owner = |person| Option::map_or(person, KeyOwner::Log, KeyOwner::Person);
    let origin = |value| Plain {
        owner: owner(event.actor.user()),
        value,
    };
    LeafRecord {
        id: event.id,
        at: event.at,
        org: event.org,
        actor: event.actor.clone(),
        action: event.action,
        resource: event.resource.clone(),
        outcome: event.outcome,
        reason: event.reason.clone(),
        request_id: event.request_id,
        ip_address: ip_address.map(origin),
        user_agent: event.origin.user_agent.as_deref().map(origin),
        metadata: event
            .metadata
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    MetaValue::Public { value } => LeafValue::Text(value.clone()),
                    MetaValue::Count { value } => LeafValue::Count(*value),
                    MetaValue::Personal { subject, value } => LeafValue::Personal(Plain {
                        owner: owner(*subject),
                        value,
                    }),
                };
                (name.clone(), value)
            })
            .collect(),
        metadata_sha256: None,
    }
}

fn actor(actor: &Actor) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: String| fields.insert(name.to_owned(), value.into());
    put("kind", actor.kind().to_owned());
    if let Some(id) = actor.id() {
        put("id", id);
    }
    match actor {
        Actor::User { session, token, .. } => {
            if let Some(session) = session {
                put("session", session.to_string());
            }
            if let Some(token) = token {
                put("token", token.to_string());
            }
        }
        Actor::Worker { on_behalf_of, .. } => {
            put("on_behalf_of", on_behalf_of.to_string());
        }
        Actor::Service {
            key,
            token,
            on_behalf_of,
            ..
        } => {
            put("key", key.to_string());
            if let Some(token) = token {
                put("token", token.to_string());
            }
            put("on_behalf_of", on_behalf_of.to_string());
        }
        Actor::System { .. } | Actor::Operator | Actor::Anonymous => {}
    }
    Value::Object(fields)
}

fn metadata(values: &BTreeMap<String, LeafValue<SealedValue>>) -> Value {
    let fields = values.iter().map(|(name, value)| {
        let value = match value {
            LeafValue::Text(text) => text.as_str().into(),
            LeafValue::Count(count) if count.unsigned_abs() <= MAX_SAFE.unsigned_abs() => {
                (*count).into()
            }
            LeafValue::Count(count) => serde_json::json!({ "count": count.to_string() }),
            LeafValue::Personal(value) => sealed(value),
        };
        (name.clone(), value)
    });
    Value::Object(fields.collect())
}

fn sealed(value: &SealedValue) -> Value {
    serde_json::json!({ "key": value.key.to_string(), "sealed": STANDARD.encode(&value.bytes) })
}
