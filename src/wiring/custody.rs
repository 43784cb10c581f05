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
use cyprob_secrets::domain::{
    LocalRef, SecretName, SecretRef, SecretValue, SecretVersion, SourceVersion,
};
use cyprob_secrets::ports::{Expected, PutOutcome, Secret, SecretStore};
use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroizing;

use super::plan_text;

/// How often a key is put while others put theirs.
const TRIES: u32 = 8;

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
    store: Arc<dyn SecretStore>,
    entropy: Arc<dyn Entropy>,
}

impl StoredKeys {
    /// Keeps keys in this store, and draws them from this source.
    #[must_use]
    pub fn new(store: Arc<dyn SecretStore>, entropy: Arc<dyn Entropy>) -> Self {
        Self { store, entropy }
    }

    async fn read(
        &self,
        purpose: KeyPurpose,
        name: &SecretName,
        version: Option<SecretVersion>,
    ) -> Result<Option<(Secret, u64)>, CustodyError> {
        let reference = SecretRef::Local(LocalRef::new(name.clone(), version));
        let found = self.store.read(&reference).await;
        let Some(secret) = found.map_err(CustodyError::unavailable)? else {
            return Ok(None);
        };
        let number = secret.version.as_ref().and_then(SourceVersion::number);
        let version = number.ok_or(CustodyError::Damaged(purpose))?;
        Ok(Some((secret, version.get())))
    }

    /// The plan that is kept.
    async fn kept(&self, purpose: KeyPurpose) -> Result<Option<StoredPlan>, CustodyError> {
        let Some((secret, version)) = self.read(purpose, &plan_name(purpose)?, None).await? else {
            return Ok(None);
        };
        let text = plan_text::read(secret.value.expose_secret());
        let (plan, unrecorded) = text.ok_or(CustodyError::Damaged(purpose))?;
        Ok(Some(StoredPlan {
            plan,
            unrecorded,
            version: PlanVersion(version),
        }))
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
        let found = self.read(purpose, &key_name(purpose)?, version).await?;
        let Some((secret, version)) = found else {
            return Ok(None);
        };
        let id = u32::try_from(version).map_err(|_| CustodyError::Damaged(purpose))?;
        let bytes = <[u8; 32]>::try_from(secret.value.expose_secret());
        let bytes = bytes.map_err(|_| CustodyError::Damaged(purpose))?;
        let key = SigningKey::new(RootKeyId::new(id), &SecretBox::new(Box::new(bytes)));
        Ok(Some((key, secret.stored_at)))
    }

    /// Puts a fresh key behind the newest one.
    async fn put_key(
        &self,
        purpose: KeyPurpose,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, CustodyError> {
        let drawn = Zeroizing::new(self.entropy.bytes::<32>());
        let fresh = SecretValue::new(drawn.to_vec()).map_err(CustodyError::unavailable)?;
        let name = key_name(purpose)?;
        let put = self.store.put(&name, &fresh, expected, at).await;
        put.map_err(CustodyError::unavailable)
    }

    async fn put_plan(
        &self,
        purpose: KeyPurpose,
        expected: Expected,
        plan: &KeyPlan,
        unrecorded: &[WaitingEvent],
        at: Timestamp,
    ) -> Result<PutOutcome, CustodyError> {
        let text = plan_text::write(plan, unrecorded).map_err(CustodyError::unavailable)?;
        let text = SecretValue::new(text).map_err(CustodyError::unavailable)?;
        let name = plan_name(purpose)?;
        let put = self.store.put(&name, &text, expected, at).await;
        put.map_err(CustodyError::unavailable)
    }
}

/// The secret whose versions are the keys of a ring.
fn key_name(purpose: KeyPurpose) -> Result<SecretName, CustodyError> {
    name(format!("keys/{purpose}-token"))
}

fn plan_name(purpose: KeyPurpose) -> Result<SecretName, CustodyError> {
    name(format!("keys/{purpose}-token-plan"))
}

fn name(text: String) -> Result<SecretName, CustodyError> {
    text.parse().map_err(CustodyError::unavailable)
}

#[async_trait]
impl KeyCustody for StoredKeys {
    async fn plan(&self, purpose: KeyPurpose, at: Timestamp) -> Result<StoredPlan, CustodyError> {
        if let Some(kept) = self.kept(purpose).await? {
            return Ok(kept);
        }
        let mut first = self.key(purpose, None).await?;
        if first.is_none() {
            // A racer that stored first wins; either way the stored one is read back.
            let (PutOutcome::Stored(_) | PutOutcome::Conflict(_)) =
                self.put_key(purpose, Expected::Absent, at).await?;
            first = self.key(purpose, None).await?;
        }
        let (key, stored_at) = first.ok_or(CustodyError::Damaged(purpose))?;
        // INVARIANT: the plan comes before any second key, which is never taken for the first
        if key.id() != FIRST {
            return Err(CustodyError::Damaged(purpose));
        }
        let plan = KeyPlan::first(key.public_half(), stored_at.unwrap_or(at));
        let (PutOutcome::Stored(_) | PutOutcome::Conflict(_)) = self
            .put_plan(purpose, Expected::Absent, &plan, &[], at)
            .await?;
        let kept = self.kept(purpose).await?;
        kept.ok_or(CustodyError::Damaged(purpose))
    }

    async fn create(&self, purpose: KeyPurpose, at: Timestamp) -> Result<NewKey, CustodyError> {
        if self.kept(purpose).await?.is_none() {
            return Err(CustodyError::unavailable("the ring has no plan"));
        }
        let newest = self.key(purpose, None).await?;
        let newest = newest.and_then(|(key, _)| SecretVersion::new(key.id().get().into()));
        let mut expected = newest.map_or(Expected::Absent, Expected::Version);
        for _ in 0..TRIES {
            match self.put_key(purpose, expected, at).await? {
                PutOutcome::Stored(version) => {
                    let id = u32::try_from(version.get()).map_err(CustodyError::unavailable)?;
                    let made = self.key(purpose, Some(RootKeyId::new(id))).await?;
                    let (key, _) = made.ok_or(CustodyError::Damaged(purpose))?;
                    return Ok(key.public_half());
                }
                PutOutcome::Conflict(newest) => {
                    expected = newest.map_or(Expected::Absent, Expected::Version);
                }
            }
        }
        Err(CustodyError::unavailable("others make keys all the while"))
    }

    async fn change(
        &self,
        purpose: KeyPurpose,
        expected: PlanVersion,
        plan: &KeyPlan,
        unrecorded: &[WaitingEvent],
        at: Timestamp,
    ) -> Result<PlanOutcome, CustodyError> {
        let Some(version) = SecretVersion::new(expected.0) else {
            return Ok(PlanOutcome::Raced);
        };
        let expected = Expected::Version(version);
        Ok(
            match self
                .put_plan(purpose, expected, plan, unrecorded, at)
                .await?
            {
                PutOutcome::Stored(_) => PlanOutcome::Changed,
                PutOutcome::Conflict(_) => PlanOutcome::Raced,
            },
        )
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
