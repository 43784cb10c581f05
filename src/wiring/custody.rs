//! Token keys in a secret store.

use std::sync::Arc;

use async_trait::async_trait;
use cyprob_authz::adapters::SigningKey;
use cyprob_authz::domain::{KeyPlan, KeyPurpose, NewKey, RootKeyId};
use cyprob_authz::ports::{
    CustodyError, KeyCustody, PlanOutcome, PlanVersion, StoredPlan, TokenSigner, WaitingEvent,
};
use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Entropy, EntropyExt};
use cyprob_secrets::domain::{SecretName, SecretValue, SecretVersion};
use cyprob_secrets::ports::SecretStore;
use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroizing;

use super::stored_plans::StoredPlans;

/// The only key of a ring that has no plan yet.
const FIRST: RootKeyId = RootKeyId::new(1);

/// Keeps the keys of the token rings in a secret store, each key as a version of its ring's secret.
///
/// A key's id is the number of its version. The ring's plan is another secret.
/// A store with one key and no plan, as deployments had before rings could be
/// rotated, gets the plan in which that key signs; one with more keys and no
/// plan has lost it, and which of them were revoked is not known.
#[derive(Clone, Debug)]
pub struct StoredKeys {
    plans: StoredPlans,
    entropy: Arc<dyn Entropy>,
}

impl StoredKeys {
    /// Keeps keys in this store, and draws them from this source.
    #[must_use]
    pub fn new(store: Arc<dyn SecretStore>, entropy: Arc<dyn Entropy>) -> Self {
        let plans = StoredPlans::new(store, "token");
        Self { plans, entropy }
    }

    /// The secret whose versions are the keys of a ring.
    fn key_name(&self, purpose: KeyPurpose) -> Result<SecretName, CustodyError> {
        self.plans.name(purpose, "")
    }

    /// A key as it is kept; the newest if none is named.
    async fn key(
        &self,
        purpose: KeyPurpose,
        id: Option<RootKeyId>,
    ) -> Result<Option<(SigningKey, Option<Timestamp>)>, CustodyError> {
        let named = id.map(|id| SecretVersion::new(id.get().into()));
        let version = match named {
            // No version has the number zero.
            Some(None) => return Ok(None),
            Some(version) => version,
            None => None,
        };
        let name = self.key_name(purpose)?;
        let Some((secret, version)) = self.plans.read(purpose, &name, version).await? else {
            return Ok(None);
        };
        let id = u32::try_from(version.get()).map_err(|_| CustodyError::Damaged(purpose))?;
        let bytes = <[u8; 32]>::try_from(secret.value.expose_secret());
        let bytes = bytes.map_err(|_| CustodyError::Damaged(purpose))?;
        let key = SigningKey::new(RootKeyId::new(id), &SecretBox::new(Box::new(bytes)));
        Ok(Some((key, secret.stored_at)))
    }

    fn draw(&self) -> Result<SecretValue, CustodyError> {
        let drawn = Zeroizing::new(self.entropy.bytes::<32>());
        SecretValue::new(drawn.to_vec()).map_err(CustodyError::unavailable)
    }
}

#[async_trait]
impl KeyCustody for StoredKeys {
    async fn plan(&self, purpose: KeyPurpose, at: Timestamp) -> Result<StoredPlan, CustodyError> {
        if let Some(kept) = self.plans.kept(purpose).await? {
            return Ok(kept);
        }
        let mut first = self.key(purpose, None).await?;
        if first.is_none() {
            let name = self.key_name(purpose)?;
            // Of several the one that stored first wins; either way that is read back.
            self.plans.put_first(&name, &self.draw()?, at).await?;
            first = self.key(purpose, None).await?;
        }
        let (key, stored_at) = first.ok_or(CustodyError::Damaged(purpose))?;
        // INVARIANT: the plan comes before any second key, which is never taken for the first
        if key.id() != FIRST {
            return Err(CustodyError::Damaged(purpose));
        }
        let plan = KeyPlan::first(key.public_half(), stored_at.unwrap_or(at));
        self.plans.begin(purpose, &plan, at).await
    }

    async fn create(&self, purpose: KeyPurpose, at: Timestamp) -> Result<NewKey, CustodyError> {
        if self.plans.kept(purpose).await?.is_none() {
            return Err(CustodyError::unavailable("the ring has no plan"));
        }
        let newest = self.key(purpose, None).await?;
        let newest = newest.and_then(|(key, _)| SecretVersion::new(key.id().get().into()));
        let (name, drawn) = (self.key_name(purpose)?, self.draw()?);
        let version = self.plans.append(&name, &drawn, newest, at).await?;
        let id = u32::try_from(version.get()).map_err(CustodyError::unavailable)?;
        let made = self.key(purpose, Some(RootKeyId::new(id))).await?;
        let (key, _) = made.ok_or(CustodyError::Damaged(purpose))?;
        Ok(key.public_half())
    }

    async fn change(
        &self,
        purpose: KeyPurpose,
        expected: PlanVersion,
        plan: &KeyPlan,
        unrecorded: &[WaitingEvent],
        at: Timestamp,
    ) -> Result<PlanOutcome, CustodyError> {
        let changed = self.plans.change(purpose, expected, plan, unrecorded, at);
        changed.await
    }

    async fn signer(
        &self,
        purpose: KeyPurpose,
        id: RootKeyId,
    ) -> Result<Option<Arc<dyn TokenSigner>>, CustodyError> {
        let found = self.key(purpose, Some(id)).await?;
        Ok(found.map(|(key, _)| Arc::new(key) as _))
    }
}
