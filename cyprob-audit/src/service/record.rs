//! Items of the trail as JSON: in answers, exports and sinks.

use std::collections::BTreeMap;

use cyprob_core::domain::audit::Actor;
use serde::Serialize;
use serde_json::Value;

use super::TrailItem;
use crate::domain::{LeafValue, OpenedLeaf, Personal};

/// Who did it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct ActorAnswer {
    kind: &'static str,
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<String>,
}

/// To what.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct ResourceAnswer {
    r#type: String,
    id: String,
}

/// One event. A personal value whose key was destroyed is absent.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrailRecord {
    index: Option<u64>,
    id: String,
    time: String,
    org_id: Option<String>,
    actor: ActorAnswer,
    action: String,
    resource: ResourceAnswer,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    request_id: Option<String>,
    metadata: BTreeMap<String, Value>,
    /// In place of metadata that is kept aside for its size.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_sha256: Option<String>,
}

impl TrailRecord {
    /// The record of an item.
    #[must_use]
    pub fn of(item: TrailItem) -> Self {
        let OpenedLeaf {
            id,
            at,
            org,
            actor,
            action,
            resource,
            outcome,
            reason,
            request_id,
            ip_address,
            user_agent,
            metadata,
            metadata_sha256,
        } = item.event;
        let value = |(name, value)| {
            let value = match value {
                LeafValue::Text(text) => Value::from(text),
                LeafValue::Count(count) => Value::from(count),
                LeafValue::Personal(value) => Value::from(clear(value)?),
            };
            Some((name, value))
        };
        Self {
            index: item.index,
            id: id.to_string(),
            time: at.to_string(),
            org_id: org.map(|org| org.to_string()),
            actor: ActorAnswer::of(&actor),
            action: action.to_string(),
            resource: ResourceAnswer {
                r#type: resource.kind,
                id: resource.id,
            },
            outcome: outcome.as_str(),
            reason,
            ip_address: ip_address.and_then(clear),
            user_agent: user_agent.and_then(clear),
            request_id: request_id.map(|id| id.to_string()),
            metadata: metadata.into_iter().filter_map(value).collect(),
            metadata_sha256: metadata_sha256
                .map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }
}

impl ActorAnswer {
    fn of(actor: &Actor) -> Self {
        let (session, on_behalf_of) = match actor {
            Actor::User { session, .. } => (session.map(|id| id.to_string()), None),
            Actor::Worker { on_behalf_of, .. } | Actor::Service { on_behalf_of, .. } => {
                (None, Some(on_behalf_of.to_string()))
            }
            Actor::System { .. } | Actor::Operator | Actor::Anonymous => (None, None),
        };
        Self {
            kind: actor.kind(),
            id: actor.id(),
            session,
            on_behalf_of,
        }
    }
}

fn clear(value: Personal) -> Option<String> {
    match value {
        Personal::Clear(value) => Some(value),
        Personal::Erased | Personal::Unreadable => None,
    }
}
