//! What an operator does to the keys of a ring.

use std::error::Error;
use std::sync::Arc;

use cyprob_core::domain::audit::{Action, AuditEvent, MetaValue, Resource};
use cyprob_core::domain::{Caller, Timestamp};
use cyprob_core::ports::{Entropy, EntropyExt as _};

use super::tokens::is_public_key;
use crate::domain::{KeyPlan, KeyPurpose, NewKey, PlanError, RootKeyId};
use crate::ports::{CustodyError, KeyCustody, PlanOutcome, PlanVersion, StoredPlan, WaitingEvent};

/// How often a change is tried while others change the plan.
const TRIES: u32 = 5;

/// While events of so many bytes wait for the trail, no key is rotated.
const MANY: usize = 32 * 1024;

/// Events of more bytes do not wait: later revocations share one event then.
///
/// With 64 keys beside them they fit in a secret of 64 KiB.
const ROOM: usize = 44 * 1024;

/// The field of an event that stands for others: how many.
const ALSO: &str = "also";

/// The keys were not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyOperationError {
    /// The plan does not allow it.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The custody failed.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// Too many changes wait for the audit trail.
    #[error(
        "too many changes of the keys wait for the audit trail: it takes them while a server runs"
    )]
    Unrecorded,
    /// The custody made a key that is none.
    #[error("the custody's new key {0} is no ed25519 public key")]
    BadKey(RootKeyId),
    /// The keys were changed, and this node does not have all of the change yet.
    #[error("the keys were changed, but not all of it is in force here yet")]
    NotInForce(#[source] Box<dyn Error + Send + Sync>),
    /// Others changed the plan all the while.
    #[error("the keys are being changed by others")]
    Busy,
}

impl KeyOperationError {
    pub(super) fn not_in_force(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::NotInForce(error.into())
    }
}

/// A changed plan.
pub(super) struct Changed {
    pub(super) plan: KeyPlan,
    /// Its version, or one before it.
    pub(super) version: PlanVersion,
}

/// Changes the plans of a custody; needs neither a server nor a database.
///
/// The event of each change is kept with the plan, in the same step, until a
/// running control plane has it in the audit trail.
#[derive(Clone, Debug)]
pub struct KeyOperations {
    custody: Arc<dyn KeyCustody>,
    entropy: Arc<dyn Entropy>,
}

impl KeyOperations {
    /// Works on the plans of this custody.
    #[must_use]
    pub fn new(custody: Arc<dyn KeyCustody>, entropy: Arc<dyn Entropy>) -> Self {
        Self { custody, entropy }
    }

    /// The custody.
    #[must_use]
    pub fn custody(&self) -> &Arc<dyn KeyCustody> {
        &self.custody
    }

    /// The plan of a ring.
    ///
    /// # Errors
    ///
    /// [`CustodyError`].
    pub async fn plan(&self, purpose: KeyPurpose, at: Timestamp) -> Result<KeyPlan, CustodyError> {
        Ok(self.custody.plan(purpose, at).await?.plan)
    }

    /// Publishes a new key, which signs after its lead; gives the changed plan.
    ///
    /// Repeating the call while the key is on its way is refused.
    ///
    /// # Errors
    ///
    /// [`KeyOperationError`].
    pub async fn rotate(
        &self,
        purpose: KeyPurpose,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<KeyPlan, KeyOperationError> {
        Ok(self.rotated(purpose, caller, at).await?.plan)
    }

    pub(super) async fn rotated(
        &self,
        purpose: KeyPurpose,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Changed, KeyOperationError> {
        for _ in 0..TRIES {
            let stored = self.custody.plan(purpose, at).await?;
            // Asked first, so that no key is made for nothing.
            stored.plan.may_rotate(at)?;
            if size(&stored.unrecorded) > MANY {
                return Err(KeyOperationError::Unrecorded);
            }
            let key = self.create(purpose, at).await?;
            let id = key.id;
            let plan = stored.plan.rotate(key, at)?;
            let from = plan.key(id).map_or(at, |key| key.signs_from);
            let event = self
                .event((purpose, id), Action::TokenKeyRotated, caller, at)
                .with("signs_from", MetaValue::public(from));
            if self.put(purpose, &stored, &plan, event, at).await? {
                return Ok(Changed::after(&stored, plan));
            }
        }
        Err(KeyOperationError::Busy)
    }

    /// Revokes a key; gives the changed plan, in which another signs if that one did.
    ///
    /// Repeating the call changes nothing.
    ///
    /// # Errors
    ///
    /// [`KeyOperationError`].
    pub async fn revoke(
        &self,
        purpose: KeyPurpose,
        id: RootKeyId,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<KeyPlan, KeyOperationError> {
        Ok(self.revoked(purpose, id, caller, at).await?.plan)
    }

    pub(super) async fn revoked(
        &self,
        purpose: KeyPurpose,
        id: RootKeyId,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Changed, KeyOperationError> {
        for _ in 0..TRIES {
            let stored = self.custody.plan(purpose, at).await?;
            let revoked = stored.plan.key(id).and_then(|key| key.revoked_at);
            if revoked.is_some() {
                let StoredPlan { plan, version, .. } = stored;
                return Ok(Changed { plan, version });
            }
            let plan = match stored.plan.revoke(id, None, at) {
                Err(PlanError::NeedsKey) => {
                    let key = self.create(purpose, at).await?;
                    stored.plan.revoke(id, Some(key), at)?
                }
                plan => plan?,
            };
            let signs = MetaValue::count(plan.signer(at).get().into());
            let event = self
                .event((purpose, id), Action::TokenKeyRevoked, caller, at)
                .with("signs", signs);
            if self.put(purpose, &stored, &plan, event, at).await? {
                return Ok(Changed::after(&stored, plan));
            }
        }
        Err(KeyOperationError::Busy)
    }

    /// The events of changes that wait for the trail.
    ///
    /// # Errors
    ///
    /// [`CustodyError`].
    pub async fn unrecorded(
        &self,
        purpose: KeyPurpose,
        at: Timestamp,
    ) -> Result<Vec<WaitingEvent>, CustodyError> {
        Ok(self.custody.plan(purpose, at).await?.unrecorded)
    }

    /// Forgets waiting events, which are in the trail now.
    ///
    /// # Errors
    ///
    /// [`KeyOperationError`]; they wait on then.
    pub async fn recorded(
        &self,
        purpose: KeyPurpose,
        events: &[WaitingEvent],
        at: Timestamp,
    ) -> Result<(), KeyOperationError> {
        for _ in 0..TRIES {
            let StoredPlan {
                plan,
                mut unrecorded,
                version,
            } = self.custody.plan(purpose, at).await?;
            unrecorded.retain(|event| !events.contains(event));
            let changed = self
                .custody
                .change(purpose, version, &plan, &unrecorded, at);
            if changed.await? == PlanOutcome::Changed {
                return Ok(());
            }
        }
        Err(KeyOperationError::Busy)
    }

    /// A new key, which is looked at before any plan names it.
    async fn create(
        &self,
        purpose: KeyPurpose,
        at: Timestamp,
    ) -> Result<NewKey, KeyOperationError> {
        let key = self.custody.create(purpose, at).await?;
        if is_public_key(&key.public) {
            Ok(key)
        } else {
            Err(KeyOperationError::BadKey(key.id))
        }
    }

    fn event(
        &self,
        (purpose, id): (KeyPurpose, RootKeyId),
        action: Action,
        caller: &Caller,
        at: Timestamp,
    ) -> AuditEvent {
        let on = Resource::new("token_key", format!("{purpose}/{id}"));
        AuditEvent::new(self.entropy.id(at), at, caller, action, on)
    }

    /// Whether the change is in place; it is not if somebody else was faster.
    async fn put(
        &self,
        purpose: KeyPurpose,
        stored: &StoredPlan,
        plan: &KeyPlan,
        event: AuditEvent,
        at: Timestamp,
    ) -> Result<bool, CustodyError> {
        let unrecorded = with(&stored.unrecorded, &event)?;
        let changed = self
            .custody
            .change(purpose, stored.version, plan, &unrecorded, at);
        Ok(changed.await? == PlanOutcome::Changed)
    }
}

impl Changed {
    fn after(stored: &StoredPlan, plan: KeyPlan) -> Self {
        let version = PlanVersion(stored.version.0.saturating_add(1));
        Self { plan, version }
    }
}

fn size(events: &[WaitingEvent]) -> usize {
    events.iter().map(|event| event.json().len()).sum()
}

/// The events with one more; where there is no room, it stands for the last of them too.
fn with(waiting: &[WaitingEvent], event: &AuditEvent) -> Result<Vec<WaitingEvent>, CustodyError> {
    let mut waiting = waiting.to_vec();
    let mut also = 0_i64;
    let mut last = WaitingEvent::of(event)?;
    while size(&waiting) + last.json().len() > ROOM {
        let Some(gone) = waiting.pop() else { break };
        let stood = match gone.event().map(|gone| gone.metadata.get(ALSO).cloned()) {
            Ok(Some(MetaValue::Count { value })) => value,
            _ => 0,
        };
        also = also.saturating_add(stood).saturating_add(1);
        last = WaitingEvent::of(&event.clone().with(ALSO, MetaValue::count(also)))?;
    }
    waiting.push(last);
    Ok(waiting)
}
