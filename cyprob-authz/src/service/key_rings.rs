//! The rings and signers of one node, kept as the plans say.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cyprob_core::domain::{Caller, Timestamp};
use tokio::sync::Mutex;

use super::cache::CacheLimits;
use super::key_operations::{KeyOperationError, KeyOperations};
use super::tokens::{
    AccessMinter, CLOCK_LEEWAY, JobMinter, JobVerifier, LiveRing, LiveSigner, MAX_LIFETIME,
    ServiceMinter, Signers, TokenVerifier,
};
use crate::domain::{Audience, KEY_LEAD, KEY_TERM, KeyPlan, KeyPurpose, KeyRingError, RootKeyId};
use crate::ports::{CustodyError, TokenSigner};

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
}

/// The ring, the signer and the plan of one purpose.
#[derive(Debug)]
struct Ring {
    purpose: KeyPurpose,
    ring: LiveRing,
    signer: LiveSigner,
    plan: RwLock<Arc<KeyPlan>>,
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
    behind_since: RwLock<Option<Timestamp>>,
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
            behind_since: RwLock::new(None),
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

    /// Whether the plans could not be read for more than a minute.
    #[must_use]
    pub fn is_stale(&self, at: Timestamp) -> bool {
        let since = self.behind_since.read();
        let since = *since.unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| at.since(since) > BOUND)
    }

    /// Reads the plans again and puts them in force; to be called every few seconds.
    ///
    /// # Errors
    ///
    /// [`KeyRingsError`]: the ring that it is about stays as it was; the others are up to date.
    pub async fn reload(&self, at: Timestamp) -> Result<(), KeyRingsError> {
        let _turn = self.turn.lock().await;
        self.behind(|since| since.or(Some(at)));
        let mut result = Ok(());
        for purpose in KeyPurpose::ALL {
            let reloaded = match self.operations.plan(purpose, at).await {
                Ok(plan) => self.of(purpose).enforce(&self.operations, plan, at).await,
                Err(error) => Err(error.into()),
            };
            result = result.and(reloaded);
        }
        if result.is_ok() {
            self.behind(|_| None);
        }
        result
    }

    /// Publishes a new key of a ring, here at once and elsewhere as soon as it is read.
    ///
    /// # Errors
    ///
    /// [`KeyOperationError`].
    pub async fn rotate(
        &self,
        purpose: KeyPurpose,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Arc<KeyPlan>, KeyOperationError> {
        let _turn = self.turn.lock().await;
        let plan = self.operations.rotate(purpose, caller, at).await?;
        self.take(purpose, plan, at).await;
        Ok(self.plan(purpose))
    }

    /// Revokes a key of a ring, here at once and elsewhere as soon as it is read.
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
    ) -> Result<Arc<KeyPlan>, KeyOperationError> {
        let _turn = self.turn.lock().await;
        let plan = self.operations.revoke(purpose, id, caller, at).await?;
        self.take(purpose, plan, at).await;
        Ok(self.plan(purpose))
    }

    /// Puts a plan that was just changed in force; a signer that fails is asked for again at the next reload.
    async fn take(&self, purpose: KeyPurpose, plan: KeyPlan, at: Timestamp) {
        let enforced = self.of(purpose).enforce(&self.operations, plan, at).await;
        if let Err(error) = enforced {
            tracing::error!(key.ring = %purpose, %error, "the changed keys are not all in force here");
        }
    }

    fn behind(&self, change: impl FnOnce(Option<Timestamp>) -> Option<Timestamp>) {
        let mut since = self
            .behind_since
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *since = change(*since);
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
        let plan = operations.plan(purpose, at).await?;
        let ring = Self {
            purpose,
            ring: LiveRing::new(plan.ring(at)?)?,
            signer: LiveSigner::new(Signers::default()),
            plan: RwLock::new(Arc::new(plan.clone())),
        };
        ring.enforce(operations, plan, at).await?;
        Ok(ring)
    }

    /// Puts a plan in force: first what verifies, so that a revocation waits for no signer.
    async fn enforce(
        &self,
        operations: &KeyOperations,
        plan: KeyPlan,
        at: Timestamp,
    ) -> Result<(), KeyRingsError> {
        let ring = plan.ring(at)?;
        if self.ring.current() != ring {
            self.ring.replace(ring)?;
        }
        let had = self.signer.loaded();
        let signing = plan.signer(at);
        let next = plan.pending(at).map(|key| (key.signs_from, key.id));
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plan);

        let mut signers = Signers {
            signing: known(&had, signing),
            next: next.map(|(from, id)| (from, known(&had, id))),
        };
        // Those that are known are in force before the others are asked for.
        self.signer.replace(signers.clone());
        if signers.signing.is_none() {
            signers.signing = Some(self.fetch(operations, signing).await?);
            self.signer.replace(signers.clone());
        }
        if let (Some((_, signer @ None)), Some((_, id))) = (&mut signers.next, next) {
            *signer = Some(self.fetch(operations, id).await?);
            self.signer.replace(signers);
        }
        Ok(())
    }

    async fn fetch(
        &self,
        operations: &KeyOperations,
        id: RootKeyId,
    ) -> Result<Arc<dyn TokenSigner>, KeyRingsError> {
        let signer = operations.custody().signer(self.purpose, id).await?;
        signer.ok_or(KeyRingsError::Missing(self.purpose, id))
    }
}

/// The signer of this key among those that were in force.
fn known(had: &Signers, id: RootKeyId) -> Option<Arc<dyn TokenSigner>> {
    let next = had.next.as_ref().and_then(|(_, signer)| signer.as_ref());
    let mut all = had.signing.iter().chain(next);
    all.find(|signer| signer.id() == id).map(Arc::clone)
}
