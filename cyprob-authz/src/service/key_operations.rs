//! What an operator does to the keys of a ring.

use std::sync::Arc;

use cyprob_core::domain::audit::{Action, AuditEvent, MetaValue, Resource};
use cyprob_core::domain::{Caller, EventId, Timestamp};
use cyprob_core::ports::{Entropy, EntropyExt as _};

use crate::domain::{KeyPlan, KeyPurpose, PlanError, RootKeyId};
use crate::ports::{CustodyError, KeyCustody, PlanOutcome, StoredPlan};

/// How often a change is tried while others change the plan.
const TRIES: u32 = 5;

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
    /// Others changed the plan all the while.
    #[error("the keys are being changed by others")]
    Busy,
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
        for _ in 0..TRIES {
            let stored = self.custody.plan(purpose, at).await?;
            // Asked first, so that no key is made for nothing.
            if let Some(pending) = stored.plan.pending(at) {
                return Err(KeyOperationError::Plan(PlanError::Pending {
                    id: pending.id,
                    signs_from: pending.signs_from,
                }));
            }
            let key = self.custody.create(purpose, at).await?;
            let id = key.id;
            let plan = stored.plan.rotate(key, at)?;
            let from = plan.key(id).map_or(at, |key| key.signs_from);
            let event = self
                .event((purpose, id), Action::TokenKeyRotated, caller, at)
                .with("signs_from", MetaValue::public(from));
            if self.put(purpose, &stored, &plan, event, at).await? {
                return Ok(plan);
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
        for _ in 0..TRIES {
            let stored = self.custody.plan(purpose, at).await?;
            let revoked = stored.plan.key(id).and_then(|key| key.revoked_at);
            if revoked.is_some() {
                return Ok(stored.plan);
            }
            let plan = match stored.plan.revoke(id, None, at) {
                Err(PlanError::NeedsKey) => {
                    let key = self.custody.create(purpose, at).await?;
                    stored.plan.revoke(id, Some(key), at)?
                }
                plan => plan?,
            };
            let signs = MetaValue::count(plan.signer(at).get().into());
            let event = self
                .event((purpose, id), Action::TokenKeyRevoked, caller, at)
                .with("signs", signs);
            if self.put(purpose, &stored, &plan, event, at).await? {
                return Ok(plan);
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
    ) -> Result<Vec<AuditEvent>, CustodyError> {
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
        events: &[EventId],
        at: Timestamp,
    ) -> Result<(), KeyOperationError> {
        for _ in 0..TRIES {
            let StoredPlan {
                plan,
                mut unrecorded,
                version,
            } = self.custody.plan(purpose, at).await?;
            unrecorded.retain(|event| !events.contains(&event.id));
            let changed = self
                .custody
                .change(purpose, version, &plan, &unrecorded, at);
            if changed.await? == PlanOutcome::Changed {
                return Ok(());
            }
        }
        Err(KeyOperationError::Busy)
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
        let mut unrecorded = stored.unrecorded.clone();
        unrecorded.push(event);
        let changed = self
            .custody
            .change(purpose, stored.version, plan, &unrecorded, at);
        Ok(changed.await? == PlanOutcome::Changed)
    }
}
