//! A plan of token keys as text, as it is kept in a secret store.

use cyprob_authz::domain::{KeyPlan, PlannedKey, RootKeyId};
use cyprob_authz::ports::WaitingEvent;
use cyprob_core::domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

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
    /// As they are: only what records them reads them.
    unrecorded: Vec<Box<RawValue>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    id: u32,
    /// 64 hex digits.
    public: String,
    created_at: Timestamp,
    signs_from: Timestamp,
    not_after: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// The text of a plan and of the events that wait for the trail.
pub(super) fn write(
    plan: &KeyPlan,
    unrecorded: &[WaitingEvent],
) -> Result<Vec<u8>, serde_json::Error> {
    let raw = |event: &WaitingEvent| RawValue::from_string(event.json().to_owned());
    serde_json::to_vec(&PlanText {
        form: FORM,
        signing: plan.signing().get(),
        next: plan.next().map(RootKeyId::get),
        last: plan.last().get(),
        keys: plan.keys().iter().map(KeyText::of).collect(),
        unrecorded: unrecorded.iter().map(raw).collect::<Result<_, _>>()?,
    })
}

/// What a text says; none if it is no plan.
pub(super) fn read(text: &[u8]) -> Option<(KeyPlan, Vec<WaitingEvent>)> {
    let text: PlanText = serde_json::from_slice(text).ok()?;
    if text.form != FORM {
        return None;
    }
    let keys = text
        .keys
        .into_iter()
        .map(KeyText::key)
        .collect::<Option<_>>()?;
    let next = text.next.map(RootKeyId::new);
    let (signing, last) = (RootKeyId::new(text.signing), RootKeyId::new(text.last));
    let plan = KeyPlan::from_parts(keys, signing, next, last).ok()?;
    let waiting = |raw: Box<RawValue>| WaitingEvent::kept(raw.get().to_owned());
    Some((plan, text.unrecorded.into_iter().map(waiting).collect()))
}

impl KeyText {
    fn of(key: &PlannedKey) -> Self {
        Self {
            id: key.id.get(),
            public: hex::encode(key.public),
            created_at: key.created_at,
            signs_from: key.signs_from,
            not_after: key.not_after,
            revoked_at: key.revoked_at,
        }
    }

    fn key(self) -> Option<PlannedKey> {
        let mut public = [0; 32];
        hex::decode_to_slice(self.public, &mut public).ok()?;
        Some(PlannedKey {
            id: RootKeyId::new(self.id),
            public,
            created_at: self.created_at,
            signs_from: self.signs_from,
            not_after: self.not_after,
            revoked_at: self.revoked_at,
        })
    }
}
