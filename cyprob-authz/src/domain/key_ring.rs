//! Rings of public keys, one per purpose.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cyprob_core::domain::Timestamp;
use serde::{Serialize, Serializer};

/// The number by which a token names the key that signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RootKeyId(u32);

impl RootKeyId {
    /// Makes it from its number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for RootKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyStatus {
    /// Signs and verifies.
    Active,
    /// Verifies only: not yet or no longer the one that signs.
    VerifyOnly,
    /// Verifies nothing any more.
    Revoked,
}

impl KeyStatus {
    /// The published name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::VerifyOnly => "verify-only",
            Self::Revoked => "revoked",
        }
    }
}

impl FromStr for KeyStatus {
    type Err = KeyRingError;

    fn from_str(text: &str) -> Result<Self, KeyRingError> {
        match text {
            "active" => Ok(Self::Active),
            "verify-only" => Ok(Self::VerifyOnly),
            "revoked" => Ok(Self::Revoked),
            _ => Err(KeyRingError::Status),
        }
    }
}

/// One Ed25519 public key with its term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingKey {
    /// By which tokens name it.
    pub id: RootKeyId,
    /// The 32 bytes of RFC 8032.
    pub public: [u8; 32],
    /// Verifies from this time on.
    pub not_before: Timestamp,
    /// Verifies before this time.
    pub not_after: Option<Timestamp>,
    /// What it may be used for.
    pub status: KeyStatus,
}

impl RingKey {
    /// Whether it verifies at this time.
    #[must_use]
    pub fn verifies(&self, at: Timestamp) -> bool {
        self.status != KeyStatus::Revoked
            && at >= self.not_before
            && self.not_after.is_none_or(|end| at < end)
    }
}

/// The ring cannot be put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// Two keys have one id.
    #[error("two keys have the id {0}")]
    Duplicate(RootKeyId),
    /// Two keys are active.
    #[error("more than one key is active")]
    TwoActive,
    /// The bytes are no Ed25519 public key.
    #[error("key {0} is no ed25519 public key")]
    BadKey(RootKeyId),
    /// The text names no status.
    #[error("no key status: active, verify-only or revoked")]
    Status,
}

/// A key as `/.well-known/cyprob` publishes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedKey {
    /// The root key id of tokens.
    pub id: RootKeyId,
    /// Always `ed25519`.
    pub algorithm: &'static str,
    /// `ed25519/` and 64 hex digits, as Biscuit libraries read it.
    pub public_key: String,
    /// `active`, `verify-only` or `revoked`.
    #[serde(serialize_with = "status_name")]
    pub status: KeyStatus,
    /// When it stops verifying, RFC 3339, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
}

fn status_name<S: Serializer>(status: &KeyStatus, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(status.as_str())
}

/// The public keys of one purpose, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRing {
    keys: BTreeMap<RootKeyId, RingKey>,
}

impl KeyRing {
    /// Puts a ring together; an empty one verifies nothing.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::Duplicate`] or [`KeyRingError::TwoActive`].
    pub fn new(keys: impl IntoIterator<Item = RingKey>) -> Result<Self, KeyRingError> {
        let mut ring = Self::default();
        let mut active = false;
        for key in keys {
            if key.status == KeyStatus::Active && std::mem::replace(&mut active, true) {
                return Err(KeyRingError::TwoActive);
            }
            let id = key.id;
            if ring.keys.insert(id, key).is_some() {
                return Err(KeyRingError::Duplicate(id));
            }
        }
        Ok(ring)
    }

    /// The key of this id.
    #[must_use]
    pub fn get(&self, id: RootKeyId) -> Option<&RingKey> {
        self.keys.get(&id)
    }

    /// All keys by id.
    pub fn iter(&self) -> impl Iterator<Item = &RingKey> {
        self.keys.values()
    }

    /// The keys as they are published.
    #[must_use]
    pub fn published(&self) -> Vec<PublishedKey> {
        self.iter()
            .map(|key| PublishedKey {
                id: key.id,
                algorithm: "ed25519",
                public_key: format!("ed25519/{}", hex::encode(key.public)),
                status: key.status,
                not_after: key.not_after.map(|end| end.to_string()),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u32, status: KeyStatus) -> RingKey {
        RingKey {
            id: RootKeyId::new(id),
            public: [id as u8; 32],
            not_before: Timestamp::from_seconds(10),
            not_after: Some(Timestamp::from_seconds(20)),
            status,
        }
    }

    #[test]
    fn terms_are_half_open_and_revocation_wins() {
        let active = key(1, KeyStatus::Active);
        for (second, holds) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(active.verifies(Timestamp::from_seconds(second)), holds);
        }
        assert!(!key(1, KeyStatus::Revoked).verifies(Timestamp::from_seconds(15)));
    }

    #[test]
    fn a_ring_has_one_active_key_and_no_twins() {
        use KeyStatus::{Active, VerifyOnly};
        assert!(KeyRing::new([key(1, Active), key(2, VerifyOnly)]).is_ok());
        assert_eq!(
            KeyRing::new([key(1, Active), key(2, Active)]),
            Err(KeyRingError::TwoActive)
        );
        assert_eq!(
            KeyRing::new([key(1, Active), key(1, VerifyOnly)]),
            Err(KeyRingError::Duplicate(RootKeyId::new(1)))
        );
    }

    #[test]
    fn the_published_form_is_what_biscuit_libraries_read() {
        let ring = KeyRing::new([key(7, KeyStatus::VerifyOnly)]).unwrap();
        let json = serde_json::to_value(ring.published()).unwrap();
        assert_eq!(
            json,
            serde_json::json!([{ "id": 7, "algorithm": "ed25519",
                "public_key": format!("ed25519/{}", "07".repeat(32)), "status": "verify-only",
                "not_after": "1970-01-01T00:00:20.000000Z" }])
        );
    }
}
