//! The rings and signers of one node, kept as the plans say.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cyprob_core::domain::{Caller, Timestamp};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use super::asking::{Asking, PATIENCE, in_time, silent};
use super::cache::CacheLimits;
use super::key_operations::{Changed, KeyOperationError, KeyOperations};
use super::tokens::{
    AccessMinter, CLOCK_LEEWAY, JobMinter, JobVerifier, LiveRing, LiveSigner, MAX_LIFETIME,
    ServiceMinter, Signers, TokenVerifier,
};
use crate::domain::{Audience, KEY_LEAD, KEY_TERM, KeyPlan, KeyPurpose, KeyRingError, RootKeyId};
use crate::ports::{CustodyError, PlanVersion, StoredPlan, TokenSigner};

/// How long the plans may be unreadable before the node says that it is not ready.
const BOUND: Duration = Duration::from_secs(60);

// INVARIANT: a key outlives its last token on every clock, and is known everywhere before its first.
const _: () = assert!(KEY_TERM.as_secs() >= MAX_LIFETIME.as_secs() + CLOCK_LEEWAY.as_secs());
const _: () = assert!(KEY_LEAD.as_secs() >= 2 * (BOUND.as_secs() + CLOCK_LEEWAY.as_secs()));

/// The rings cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingsError {
    /// The custody failed.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// The keys make no ring.
    #[error("the deployment's keys make no ring")]
    Ring(#[from] KeyRingError),
    /// The key that should sign is not kept in the custody.
    #[error("the key {1} of the ring {0} is in the plan and not in the custody")]
    Missing(KeyPurpose, RootKeyId),
    /// What signs has another key than the plan says.
    #[error("the custody's key {1} of the ring {0} is not the one in the plan")]
    OtherKey(KeyPurpose, RootKeyId),
    /// The plan is one of before, as after a copy was put back.
    #[error("the kept plan of the ring {0} is older than the one in force")]
    Older(KeyPurpose),
}

/// A key by its id and its public half.
type Named = (RootKeyId, [u8; 32]);

/// The ring, the signer and the plan of one purpose.
#[derive(Debug)]
struct Ring {
    purpose: KeyPurpose,
    ring: LiveRing,
    signer: LiveSigner,
    plan: RwLock<Arc<KeyPlan>>,
    /// The greatest version that was in force; no lesser one is again.
    version: RwLock<PlanVersion>,
    asked_plan: Asking<StoredPlan>,
    asked_signer: Asking<Option<Arc<dyn TokenSigner>>>,
}

/// The rings of people, services and workers, as they are at this moment.
///
/// A node that cannot read its plans keeps the rings that it has: whoever is
/// signed in stays so. What it does not hear of meanwhile is a revocation; after
/// a minute [`is_stale`](Self::is_stale) says so.
#[derive(Debug)]
pub struct KeyRings {
    operations: KeyOperations,
    user: Ring,
    service: Ring,
    worker: Ring,
    /// Held from the reading of a plan until it is in force, so that no older one follows a newer one.
    turn: Mutex<()>,
    /// When all of them were last read and put in force.
    current_at: RwLock<Timestamp>,
}

impl KeyRings {
    /// Reads the plans and puts them in force; makes the first keys where there are none.
    ///
    /// # Errors
    ///
    /// [`KeyRingsError`], also if a key that signs is not to be had.
    pub async fn load(operations: KeyOperations, at: Timestamp) -> Result<Self, KeyRingsError> {
        let user = Ring::load(&operations, KeyPurpose::User, at).await?;
        let service = Ring::load(&operations, KeyPurpose::Service, at).await?;
        let worker = Ring::load(&operations, KeyPurpose::Worker, at).await?;
        Ok(Self {
            operations,
            user,
            service,
            worker,
            turn: Mutex::new(()),
            current_at: RwLock::new(at),
        })
    }

    /// What changes the plans without a look at this node.
    #[must_use]
    pub const fn operations(&self) -> &KeyOperations {
        &self.operations
    }

    /// The public keys of a ring.
    #[must_use]
    pub const fn ring(&self, purpose: KeyPurpose) -> &LiveRing {
        &self.of(purpose).ring
    }

    /// What signs of a ring.
    #[must_use]
    pub const fn signer(&self, purpose: KeyPurpose) -> &LiveSigner {
        &self.of(purpose).signer
    }

    /// What mints access tokens of people.
    #[must_use]
    pub fn access_minter(&self) -> AccessMinter {
        AccessMinter::new(self.user.signer.clone())
    }

    /// What mints access tokens of service accounts.
    #[must_use]
    pub fn service_minter(&self) -> ServiceMinter {
        ServiceMinter::new(self.service.signer.clone())
    }

    /// What mints tokens of workers.
    #[must_use]
    pub fn job_minter(&self) -> JobMinter {
        JobMinter::new(self.worker.signer.clone())
    }

    /// What verifies access tokens, for this deployment.
    #[must_use]
    pub fn token_verifier(&self, audience: Audience, limits: CacheLimits) -> TokenVerifier {
        let (user, service) = (self.user.ring.clone(), self.service.ring.clone());
        TokenVerifier::new(user, service, audience, limits)
    }

    /// What verifies tokens of workers, for this deployment.
    #[must_use]
    pub fn job_verifier(&self, audience: Audience) -> JobVerifier {
        JobVerifier::new(self.worker.ring.clone(), audience)
    }

    /// The plan in force.
    #[must_use]
    pub fn plan(&self, purpose: KeyPurpose) -> Arc<KeyPlan> {
        let plan = &self.of(purpose).plan;
        Arc::clone(&plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the plans were not read and put in force for more than a minute.
    #[must_use]
    pub fn is_stale(&self, at: Timestamp) -> bool {
        let current = self.current_at.read();
        let current = *current.unwrap_or_else(PoisonError::into_inner);
        at.since(current) > BOUND
    }

    /// Reads the plans again and puts them in force; to be called every few seconds.
    ///
    /// # Errors
    ///
    /// [`KeyRingsError`]: the ring that it is about stays as it was; the others are up to date.
    pub async fn reload(&self, at: Timestamp) -> Result<(), KeyRingsError> {
        let _turn = self.turn().await?;
        let operations = &self.operations;
        // No ring waits for another.
        let (user, service, worker) = tokio::join!(
            self.user.read(operations, at),
            self.service.read(operations, at),
            self.worker.read(operations, at)
        );
        let result = user.and(service).and(worker);
        if result.is_ok() {
            let current = self.current_at.write();
            *current.unwrap_or_else(PoisonError::into_inner) = at;
        }
        result
    }

    /// The turn is held for as long as the custody may take, and not for ever.
    async fn turn(&self) -> Result<MutexGuard<'_, ()>, CustodyError> {
        let turn = timeout(4 * PATIENCE, self.turn.lock()).await;
        turn.map_err(|_| silent())
    }

    /// Publishes a new key of a ring, here at once and elsewhere as soon as it is read.
    ///
    /// # Errors
    ///
    /// [`KeyOperationError`]; after `NotInForce` the key is published, but not all of it is known here.
    pub async fn rotate(
        &self,
        purpose: KeyPurpose,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Arc<KeyPlan>, KeyOperationError> {
        let _turn = self.turn().await?;
        let rotated = self.operations.rotated(purpose, caller, at);
        let changed = timeout(2 * PATIENCE, rotated).await;
        self.take(purpose, changed.map_err(|_| silent())??, at)
            .await
    }

    /// Revokes a key of a ring, here at once and elsewhere as soon as it is read.
    ///
    /// # Errors
    ///
    /// [`KeyOperationError`]; after `NotInForce` the key is revoked, but not all of it is known here.
    pub async fn revoke(
        &self,
        purpose: KeyPurpose,
        id: RootKeyId,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Arc<KeyPlan>, KeyOperationError> {
        let _turn = self.turn().await?;
        let revoked = self.operations.revoked(purpose, id, caller, at);
        let changed = timeout(2 * PATIENCE, revoked).await;
        self.take(purpose, changed.map_err(|_| silent())??, at)
            .await
    }

    /// Puts a plan that was just changed in force; what fails is tried again at the next reload.
    async fn take(
        &self,
        purpose: KeyPurpose,
        Changed { plan, version }: Changed,
        at: Timestamp,
    ) -> Result<Arc<KeyPlan>, KeyOperationError> {
        let ring = self.of(purpose);
        let enforced = ring.enforce(&self.operations, plan, version, at).await;
        enforced.map_err(KeyOperationError::not_in_force)?;
        Ok(self.plan(purpose))
    }

    const fn of(&self, purpose: KeyPurpose) -> &Ring {
        match purpose {
            KeyPurpose::User => &self.user,
            KeyPurpose::Service => &self.service,
            KeyPurpose::Worker => &self.worker,
        }
    }
}

impl Ring {
    async fn load(
        operations: &KeyOperations,
        purpose: KeyPurpose,
        at: Timestamp,
    ) -> Result<Self, KeyRingsError> {
        let stored = in_time(operations.custody().plan(purpose, at)).await?;
        let StoredPlan { plan, version, .. } = stored;
        let ring = Self {
            purpose,
            ring: LiveRing::new(plan.ring(at)?)?,
            signer: LiveSigner::new(Signers::default()),
            plan: RwLock::new(Arc::new(plan.clone())),
            version: RwLock::new(version),
            asked_plan: Asking::new(),
            asked_signer: Asking::new(),
        };
        ring.enforce(operations, plan, version, at).await?;
        Ok(ring)
    }

    /// Reads the plan and puts it in force.
    async fn read(&self, operations: &KeyOperations, at: Timestamp) -> Result<(), KeyRingsError> {
        let (custody, purpose) = (Arc::clone(operations.custody()), self.purpose);
        let question = async move { custody.plan(purpose, at).await };
        let StoredPlan { plan, version, .. } = self.asked_plan.ask(at, question).await?;
        self.enforce(operations, plan, version, at).await
    }

    /// Puts a plan in force: first what verifies, so that a revocation waits for no signer.
    async fn enforce(
        &self,
        operations: &KeyOperations,
        plan: KeyPlan,
        version: PlanVersion,
        at: Timestamp,
    ) -> Result<(), KeyRingsError> {
        // INVARIANT: what was revoked stays so, also when an older plan is put back
        if version < *self.version.read().unwrap_or_else(PoisonError::into_inner) {
            return Err(KeyRingsError::Older(self.purpose));
        }
        let ring = plan.ring(at)?;
        if self.ring.current() != ring {
            self.ring.replace(ring)?;
        }
        let had = self.signer.loaded();
        let named = |id| plan.key(id).map(|key| (id, key.public));
        let lost = |id| KeyRingsError::Missing(self.purpose, id);
        let signing = named(plan.signer(at)).ok_or_else(|| lost(plan.signer(at)))?;
        let next = plan.pending(at);
        let next = next.map(|key| (key.signs_from, (key.id, key.public)));
        *self.version.write().unwrap_or_else(PoisonError::into_inner) = version;
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plan);

        let mut signers = Signers {
            signing: known(&had, signing),
            next: next.map(|(from, key)| (from, known(&had, key))),
        };
        // Those that are known are in force before the others are asked for.
        self.signer.replace(signers.clone());
        if signers.signing.is_none() {
            signers.signing = Some(self.fetch(operations, signing, at).await?);
            self.signer.replace(signers.clone());
        }
        if let (Some((_, signer @ None)), Some((_, key))) = (&mut signers.next, next) {
            *signer = Some(self.fetch(operations, key, at).await?);
            self.signer.replace(signers);
        }
        Ok(())
    }

    async fn fetch(
        &self,
        operations: &KeyOperations,
        (id, public): Named,
        at: Timestamp,
    ) -> Result<Arc<dyn TokenSigner>, KeyRingsError> {
        let (custody, purpose) = (Arc::clone(operations.custody()), self.purpose);
        let question = async move { custody.signer(purpose, id).await };
        let signer = self.asked_signer.ask(at, question).await?;
        let signer = signer.ok_or(KeyRingsError::Missing(purpose, id))?;
        // What it signs would be refused everywhere.
        if (signer.id(), signer.public()) == (id, public) {
            Ok(signer)
        } else {
            Err(KeyRingsError::OtherKey(purpose, id))
        }
    }
}

/// The signer of this key among those that were in force.
fn known(had: &Signers, key: Named) -> Option<Arc<dyn TokenSigner>> {
    let next = had.next.as_ref().and_then(|(_, signer)| signer.as_ref());
    let mut all = had.signing.iter().chain(next);
    all.find(|signer| (signer.id(), signer.public()) == key)
        .map(Arc::clone)
}
