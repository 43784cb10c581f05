//! From leaf to event.

use std::collections::BTreeMap;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cyprob_core::domain::audit::{Actor, Outcome, Resource};
use serde_json::{Map, Value};

use super::VERSION;
use super::canonical::to_bytes;
use super::key::{SubjectKey, SubjectKeyId};
use super::record::{Leaf, LeafValue, OpenedLeaf, Personal};
use super::seal::{SealedValue, open};
use crate::domain::KeyName;

/// The bytes are not a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeafError {
    /// It is longer than 32 KiB.
    #[error("the leaf is larger than 32 KiB")]
    TooLarge,
    /// It is not JSON, or not in its canonical form.
    #[error("the leaf is not canonical JSON")]
    NotCanonical,
    /// It has a version that this reader does not know.
    #[error("the leaf has an unknown version")]
    Version,
    /// A field is missing, unknown, or not as it must be.
    #[error("a field of the leaf is missing, unknown or malformed")]
    Field {
        /// The first such field, in the order of reading.
        name: &'static str,
    },
}

impl Leaf {
    /// Reads a leaf.
    ///
    /// # Errors
    ///
    /// [`LeafError`] for whatever [`Leaf::seal`] would not have written so.
    pub fn parse(bytes: &[u8]) -> Result<Self, LeafError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(LeafError::TooLarge);
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|_| LeafError::NotCanonical)?;
        if to_bytes(&value).as_deref() != Some(bytes) {
            return Err(LeafError::NotCanonical);
        }
        let Value::Object(fields) = value else {
            return Err(LeafError::NotCanonical);
        };
        if fields.get("v").and_then(Value::as_i64) != Some(VERSION) {
            return Err(LeafError::Version);
        }
        let leaf = Fields(&fields).leaf()?;
        // Whatever was not read was not written back either.
        if leaf.encode().as_deref() == Some(bytes) {
            Ok(leaf)
        } else {
            Err(LeafError::Field { name: "unknown" })
        }
    }

    /// Opens the personal values with the keys that still exist.
    #[must_use]
    pub fn open<'k>(
        self,
        origin: &KeyName,
        keys: impl Fn(SubjectKeyId) -> Option<&'k SubjectKey>,
    ) -> OpenedLeaf {
        let event = self.id;
        self.map(|field, sealed| match keys(sealed.key) {
            None => Personal::Erased,
            Some(key) => open(key, origin, event, field, &sealed),
        })
    }

    /// The ids of the keys that opening takes.
    #[must_use]
    pub fn key_ids(&self) -> Vec<SubjectKeyId> {
        let mut ids = Vec::new();
        self.clone().map(|_, sealed| ids.push(sealed.key));
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// Reads fields by name; each failure names its field.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn leaf(&self) -> Result<Leaf, LeafError> {
        let resource = Fields(self.object("resource")?);
        Ok(Leaf {
            id: self.parsed("id")?,
            at: self.parsed("time")?,
            org: self.optional("org_id", Self::parsed)?,
            actor: Fields(self.object("actor")?).actor()?,
            action: self.parsed("action")?,
            resource: Resource {
                kind: resource.text("type")?.to_owned(),
                id: resource.text("id")?.to_owned(),
            },
            outcome: match self.text("outcome")? {
                "success" => Outcome::Success,
                "denied" => Outcome::Denied,
                "failure" => Outcome::Failure,
                _ => return Err(LeafError::Field { name: "outcome" }),
            },
            reason: self.optional("reason", |fields, name| {
                fields.text(name).map(str::to_owned)
            })?,
            request_id: self.optional("request_id", Self::parsed)?,
            ip_address: self.optional("ip_address", Self::sealed)?,
            user_agent: self.optional("user_agent", Self::sealed)?,
            metadata: self.metadata()?,
            metadata_sha256: self.optional("metadata_sha256", |fields, name| {
                let mut digest = [0; 32];
                hex::decode_to_slice(fields.text(name)?, &mut digest)
                    .map_err(|_| LeafError::Field { name })?;
                Ok(digest)
            })?,
        })
    }

    fn actor(&self) -> Result<Actor, LeafError> {
        Ok(match self.text("kind")? {
            "user" => Actor::User {
                id: self.parsed("id")?,
                session: self.optional("session", Self::parsed)?,
                token: self.optional("token", Self::parsed)?,
            },
            "worker" => Actor::Worker {
                run: self.parsed("id")?,
                on_behalf_of: self.parsed("on_behalf_of")?,
            },
            "service" => Actor::Service {
                id: self.parsed("id")?,
                key: self.parsed("key")?,
                token: self.optional("token", Self::parsed)?,
                on_behalf_of: self.parsed("on_behalf_of")?,
            },
            "system" => Actor::System {
                id: self.text("id")?.to_owned(),
            },
            "operator" => Actor::Operator,
            "anonymous" => Actor::Anonymous,
            _ => return Err(LeafError::Field { name: "kind" }),
        })
    }

    fn metadata(&self) -> Result<BTreeMap<String, LeafValue<SealedValue>>, LeafError> {
        let bad = LeafError::Field { name: "metadata" };
        self.object("metadata")?
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    Value::String(text) => LeafValue::Text(text.clone()),
                    Value::Number(number) => LeafValue::Count(number.as_i64().ok_or(bad)?),
                    Value::Object(fields) => match fields.get("count") {
                        Some(count) => {
                            let count = count.as_str().and_then(|count| count.parse().ok());
                            LeafValue::Count(count.ok_or(bad)?)
                        }
                        None => LeafValue::Personal(sealed(fields).ok_or(bad)?),
                    },
                    _ => return Err(bad),
                };
                Ok((name.clone(), value))
            })
            .collect()
    }

    fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&Self, &'static str) -> Result<T, LeafError>,
    ) -> Result<Option<T>, LeafError> {
        self.0
            .contains_key(name)
            .then(|| read(self, name))
            .transpose()
    }

    fn object(&self, name: &'static str) -> Result<&'a Map<String, Value>, LeafError> {
        self.0
            .get(name)
            .and_then(Value::as_object)
            .ok_or(LeafError::Field { name })
    }

    fn text(&self, name: &'static str) -> Result<&'a str, LeafError> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .ok_or(LeafError::Field { name })
    }

    fn parsed<T: FromStr>(&self, name: &'static str) -> Result<T, LeafError> {
        self.text(name)?
            .parse()
            .map_err(|_| LeafError::Field { name })
    }

    fn sealed(&self, name: &'static str) -> Result<SealedValue, LeafError> {
        sealed(self.object(name)?).ok_or(LeafError::Field { name })
    }
}

fn sealed(fields: &Map<String, Value>) -> Option<SealedValue> {
    let key = fields.get("key")?.as_str()?.parse().ok()?;
    let bytes = STANDARD.decode(fields.get("sealed")?.as_str()?).ok()?;
    Some(SealedValue { key, bytes })
}
