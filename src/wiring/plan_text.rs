//! A plan of token keys as text, as it is kept in a secret store.

use cyprob_authz::domain::{KeyPlan, PlannedKey, RootKeyId};
use cyprob_core::domain::Timestamp;
use cyprob_core::domain::audit::AuditEvent;
use serde::{Deserialize, Serialize};

/// The one form there is.
const FORM: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanText {
    form: u32,
    signing: u32,
    next: Option<u32>,
    last: u32,
    keys: Vec<KeyText>,
    unrecorded: Vec<AuditEvent>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    id: u32,
    public: [u8; 32],
    created_at: Timestamp,
    signs_from: Timestamp,
    not_after: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// The text of a plan and of the events that wait for the trail.
pub(super) fn write(
    plan: &KeyPlan,
    unrecorded: &[AuditEvent],
) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&PlanText {
        form: FORM,
        signing: plan.signing().get(),
        next: plan.next().map(RootKeyId::get),
        last: plan.last().get(),
        keys: plan.keys().iter().map(KeyText::of).collect(),
        unrecorded: unrecorded.to_vec(),
    })
}

/// What a text says; none if it is no plan.
pub(super) fn read(text: &[u8]) -> Option<(KeyPlan, Vec<AuditEvent>)> {
    let text: PlanText = serde_json::from_slice(text).ok()?;
    if text.form != FORM {
        return None;
    }
    let keys = text.keys.into_iter().map(KeyText::key).collect();
    let next = text.next.map(RootKeyId::new);
    let (signing, last) = (RootKeyId::new(text.signing), RootKeyId::new(text.last));
    let plan = KeyPlan::from_parts(keys, signing, next, last).ok()?;
    Some((plan, text.unrecorded))
}

impl KeyText {
    fn of(key: &PlannedKey) -> Self {
        Self {
            id: key.id.get(),
            public: key.public,
            created_at: key.created_at,
            signs_from: key.signs_from,
            not_after: key.not_after,
            revoked_at: key.revoked_at,
        }
    }

    fn key(self) -> PlannedKey {
        PlannedKey {
            id: RootKeyId::new(self.id),
            public: self.public,
            created_at: self.created_at,
            signs_from: self.signs_from,
            not_after: self.not_after,
            revoked_at: self.revoked_at,
        }
    }
}
