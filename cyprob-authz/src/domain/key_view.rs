//! A key as an operator sees it.

use cyprob_core::domain::Timestamp;
use serde::Serialize;

use super::{KeyPlan, KeyPurpose, PlannedKey, RootKeyId};

/// A key of a ring as an operator sees it; times are of RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// The ring.
    pub ring: KeyPurpose,
    /// By which tokens name it.
    pub id: RootKeyId,
    /// `active`, `verify-only` or `revoked`.
    pub status: &'static str,
    /// `ed25519/` and 64 hex digits.
    pub public_key: String,
    /// When it was made.
    pub created_at: String,
    /// From when on it signs, until the next one does.
    pub signs_from: String,
    /// When it stops verifying, once that is known.
    pub not_after: Option<String>,
}

impl KeyView {
    /// One key of a plan at this time.
    #[must_use]
    pub fn of(ring: KeyPurpose, plan: &KeyPlan, key: &PlannedKey, at: Timestamp) -> Self {
        Self {
            ring,
            id: key.id,
            status: plan.status(key, at).as_str(),
            public_key: format!("ed25519/{}", hex::encode(key.public)),
            created_at: key.created_at.to_string(),
            signs_from: key.signs_from.to_string(),
            not_after: key.not_after.map(|end| end.to_string()),
        }
    }

    /// The keys of a plan that are published at this time, by id.
    #[must_use]
    pub fn all(ring: KeyPurpose, plan: &KeyPlan, at: Timestamp) -> Vec<Self> {
        let keys = plan.keys().iter().filter(|key| !key.is_retired(at));
        keys.map(|key| Self::of(ring, plan, key, at)).collect()
    }
}
