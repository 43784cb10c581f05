//! Token keys in the transit engine of a Vault.
//!
//! Each key of a ring is a transit key of its own, named `STEM-ID`, of which only
//! the first version is used. The keys are no versions of one transit key: of two
//! that rotate that at once none is told for sure which version is its own, and a
//! version cannot be deleted alone. And the engine gives out no ids: to make a
//! key of a name that is taken is no error and makes none.
//!
//! So ids are reserved in the secret store, by compare-and-swap: each id is the
//! number of a version of the ring's secret, and the store gives no number out
//! twice. Every version holds the same stem, which was drawn when the ring began.
//! By its random part two deployments that share an engine meet in no key, nor
//! does one whose store began anew. Where an older copy of the store was put
//! back, the ids that the engine has keys of are left out.

use std::sync::Arc;

use async_trait::async_trait;
use cyprob_authz::domain::{KeyPlan, KeyPurpose, NewKey, RootKeyId};
use cyprob_authz::ports::{
    CustodyError, KeyCustody, PlanOutcome, PlanVersion, SignError, StoredPlan, TokenSigner,
    WaitingEvent,
};
use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Entropy, EntropyExt};
use cyprob_secrets::adapters::vault::TransitRefusal::{Leaves, OtherKind};
use cyprob_secrets::adapters::vault::{TransitError, TransitKey, VaultName, VaultTransit};
use cyprob_secrets::domain::{SecretName, SecretValue, SecretVersion};
use cyprob_secrets::ports::SecretStore;
use ed25519_dalek::{Signature, VerifyingKey};
use secrecy::ExposeSecret;

use super::stored_plans::StoredPlans;

/// How many ids are passed over, for each of which the engine has a key already.
const PASSED_OVER: u32 = 16;

/// What is signed to see whether a key signs; no token begins like this.
const PROBE: &[u8] = b"cyprob asks whether this key signs";

/// Keeps the keys of the token rings in a transit engine, which signs with them and lets none go.
///
/// The plans, the events that wait for the trail, and which ids were given out
/// are in a secret store, which all processes of the deployment share. Nothing
/// in it signs. Rings that [`StoredKeys`](crate::StoredKeys) began in the same
/// store are other rings.
///
/// A signature is verified before it is handed out. One that the engine does not
/// give within 2 s is none.
#[derive(Clone, Debug)]
pub struct TransitKeys {
    plans: StoredPlans,
    transit: VaultTransit,
    entropy: Arc<dyn Entropy>,
}

/// A ring's keys: what their names begin with, and the greatest id that was given out.
struct Named {
    stem: String,
    last: SecretVersion,
    /// When that id was given out, where the store knows.
    stored_at: Option<Timestamp>,
}

/// Signs with one key of the engine.
#[derive(Debug)]
struct TransitSigner {
    id: RootKeyId,
    public: VerifyingKey,
    key: TransitKey,
    transit: VaultTransit,
}

/// The engine's signature is of another key or another message.
#[derive(Debug, thiserror::Error)]
#[error("the transit engine gave a signature that does not verify")]
struct WrongSignature;

impl TransitKeys {
    /// Keeps keys in this engine and plans in this store, and draws names from this source.
    #[must_use]
    pub fn new(
        transit: VaultTransit,
        store: Arc<dyn SecretStore>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            plans: StoredPlans::new(store, "transit"),
            transit,
            entropy,
        }
    }

    /// The secret whose versions are the ids of a ring's keys.
    fn ids(&self, purpose: KeyPurpose) -> Result<SecretName, CustodyError> {
        self.plans.name(purpose, "")
    }

    async fn named(&self, purpose: KeyPurpose) -> Result<Option<Named>, CustodyError> {
        let newest = self.plans.read(purpose, &self.ids(purpose)?, None).await?;
        let Some((secret, last)) = newest else {
            return Ok(None);
        };
        let stem = String::from_utf8(secret.value.expose_secret().to_vec());
        Ok(Some(Named {
            stem: stem.map_err(|_| CustodyError::Damaged(purpose))?,
            last,
            stored_at: secret.stored_at,
        }))
    }

    /// The half of a key that is public; nothing if the engine has no such key.
    async fn public(&self, key: &TransitKey) -> Result<Option<[u8; 32]>, CustodyError> {
        let public = self.transit.public(key).await;
        public.map_err(CustodyError::unavailable)
    }

    /// Makes a key unless it is there.
    async fn made(&self, key: &TransitKey) -> Result<[u8; 32], CustodyError> {
        let made = self.transit.make(&key.name).await;
        made.map_err(CustodyError::unavailable)?;
        let public = self.public(key).await?;
        public.ok_or_else(|| CustodyError::unavailable("the engine has no key after it made it"))
    }
}

impl Named {
    fn key(&self, purpose: KeyPurpose, id: SecretVersion) -> Result<TransitKey, CustodyError> {
        let name: Result<VaultName, _> = format!("{}-{id}", self.stem).parse();
        Ok(TransitKey {
            name: name.map_err(|_| CustodyError::Damaged(purpose))?,
            version: SecretVersion::FIRST,
        })
    }
}

#[async_trait]
impl KeyCustody for TransitKeys {
    async fn plan(&self, purpose: KeyPurpose, at: Timestamp) -> Result<StoredPlan, CustodyError> {
        if let Some(kept) = self.plans.kept(purpose).await? {
            return Ok(kept);
        }
        let mut named = self.named(purpose).await?;
        if named.is_none() {
            let drawn = hex::encode(self.entropy.bytes::<8>());
            let stem = SecretValue::new(format!("cyprob-{purpose}-{drawn}").into_bytes());
            let stem = stem.map_err(CustodyError::unavailable)?;
            // Of several the one that stored first wins; either way that is read back.
            let ids = self.ids(purpose)?;
            self.plans.put_first(&ids, &stem, at).await?;
            named = self.named(purpose).await?;
        }
        let named = named.ok_or(CustodyError::Damaged(purpose))?;
        // INVARIANT: the plan comes before any second id; whoever comes here makes the same key
        if named.last != SecretVersion::FIRST {
            return Err(CustodyError::Damaged(purpose));
        }
        let public = self.made(&named.key(purpose, named.last)?).await?;
        let first = NewKey {
            id: root_id(named.last)?,
            public,
        };
        let plan = KeyPlan::first(first, named.stored_at.unwrap_or(at));
        self.plans.begin(purpose, &plan, at).await
    }

    async fn create(&self, purpose: KeyPurpose, at: Timestamp) -> Result<NewKey, CustodyError> {
        if self.plans.kept(purpose).await?.is_none() {
            return Err(CustodyError::unavailable("the ring has no plan"));
        }
        let named = self.named(purpose).await?;
        let mut named = named.ok_or(CustodyError::Damaged(purpose))?;
        let stem = SecretValue::new(named.stem.clone().into_bytes());
        let (ids, stem) = (self.ids(purpose)?, stem.map_err(CustodyError::unavailable)?);
        for _ in 0..PASSED_OVER {
            named.last = self.plans.append(&ids, &stem, Some(named.last), at).await?;
            let key = named.key(purpose, named.last)?;
            match self.transit.public(&key).await {
                Ok(None) => {}
                // A key of this id was given out before the store lost that.
                Ok(Some(_)) | Err(TransitError::Refused(OtherKind | Leaves)) => continue,
                Err(error) => return Err(CustodyError::unavailable(error)),
            }
            let public = self.made(&key).await?;
            let id = root_id(named.last)?;
            return Ok(NewKey { id, public });
        }
        Err(CustodyError::unavailable(
            "the engine has keys of ids that the store has not given out",
        ))
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
        let (Some(named), Some(number)) = (
            self.named(purpose).await?,
            SecretVersion::new(id.get().into()),
        ) else {
            return Ok(None);
        };
        if number > named.last {
            return Ok(None);
        }
        let key = named.key(purpose, number)?;
        let Some(public) = self.public(&key).await? else {
            return Ok(None);
        };
        let public = VerifyingKey::from_bytes(&public);
        Ok(Some(Arc::new(TransitSigner {
            id,
            public: public.map_err(|_| CustodyError::Damaged(purpose))?,
            key,
            transit: self.transit.clone(),
        })))
    }
}

fn root_id(number: SecretVersion) -> Result<RootKeyId, CustodyError> {
    let id = u32::try_from(number.get()).map_err(CustodyError::unavailable)?;
    Ok(RootKeyId::new(id))
}

#[async_trait]
impl TokenSigner for TransitSigner {
    fn id(&self) -> RootKeyId {
        self.id
    }

    fn public(&self) -> [u8; 32] {
        self.public.to_bytes()
    }

    async fn ready(&self) -> Result<(), SignError> {
        self.sign(PROBE).await.map(drop)
    }

    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let signed = self.transit.sign(&self.key, message).await;
        let signature = signed.map_err(SignError::new)?;
        // INVARIANT: what was not verified never reaches a token
        self.public
            .verify_strict(message, &Signature::from_bytes(&signature))
            .map_err(|_| SignError::new(WrongSignature))?;
        Ok(signature)
    }
}
