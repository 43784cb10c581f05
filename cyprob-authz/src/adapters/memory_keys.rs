//! Keys that are gone with the process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};

use super::SigningKey;
use crate::domain::{KeyPlan, KeyPurpose, NewKey, RootKeyId};
use crate::ports::{
    CustodyError, KeyCustody, PlanOutcome, PlanVersion, StoredPlan, TokenSigner, WaitingEvent,
};

/// Keeps keys in this process's memory, drawn one after another from one seed.
pub struct MemoryKeys {
    seed: SecretBox<[u8; 32]>,
    rings: Mutex<BTreeMap<KeyPurpose, Kept>>,
}

struct Kept {
    stored: StoredPlan,
    made: u32,
}

impl MemoryKeys {
    /// Keeps keys that follow from this seed: 32 random bytes.
    #[must_use]
    pub const fn new(seed: SecretBox<[u8; 32]>) -> Self {
        Self {
            seed,
            rings: Mutex::new(BTreeMap::new()),
        }
    }

    fn key(&self, purpose: KeyPurpose, number: u32) -> SigningKey {
        let drawn = Sha256::new()
            .chain_update(b"cyprob key in memory")
            .chain_update(self.seed.expose_secret())
            .chain_update(number.to_be_bytes())
            .chain_update(purpose.as_str())
            .finalize();
        let secret = SecretBox::new(Box::new(drawn.into()));
        SigningKey::new(RootKeyId::new(number), &secret)
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<KeyPurpose, Kept>) -> T) -> T {
        // Every change is one assignment, so a panic elsewhere leaves no half of it.
        act(&mut self.rings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for MemoryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryKeys").finish_non_exhaustive()
    }
}

#[async_trait]
impl KeyCustody for MemoryKeys {
    async fn plan(&self, purpose: KeyPurpose, at: Timestamp) -> Result<StoredPlan, CustodyError> {
        Ok(self.with(|rings| {
            let kept = rings.entry(purpose).or_insert_with(|| Kept {
                stored: StoredPlan {
                    plan: KeyPlan::first(self.key(purpose, 1).public_half(), at),
                    unrecorded: Vec::new(),
                    version: PlanVersion(1),
                },
                made: 1,
            });
            kept.stored.clone()
        }))
    }

    async fn create(&self, purpose: KeyPurpose, _at: Timestamp) -> Result<NewKey, CustodyError> {
        let number = self.with(|rings| {
            let kept = rings.get_mut(&purpose)?;
            kept.made = kept.made.checked_add(1)?;
            Some(kept.made)
        });
        let none = || CustodyError::unavailable("the ring has no plan, or no number is left");
        Ok(self.key(purpose, number.ok_or_else(none)?).public_half())
    }

    async fn change(
        &self,
        purpose: KeyPurpose,
        expected: PlanVersion,
        plan: &KeyPlan,
        unrecorded: &[WaitingEvent],
        _at: Timestamp,
    ) -> Result<PlanOutcome, CustodyError> {
        Ok(self.with(|rings| match rings.get_mut(&purpose) {
            Some(kept) if kept.stored.version == expected => {
                kept.stored = StoredPlan {
                    plan: plan.clone(),
                    unrecorded: unrecorded.to_vec(),
                    version: PlanVersion(expected.0.saturating_add(1)),
                };
                PlanOutcome::Changed
            }
            _ => PlanOutcome::Raced,
        }))
    }

    async fn signer(
        &self,
        purpose: KeyPurpose,
        id: RootKeyId,
    ) -> Result<Option<Arc<dyn TokenSigner>>, CustodyError> {
        let made = self.with(|rings| rings.get(&purpose).map_or(0, |kept| kept.made));
        let kept = (1..=made).contains(&id.get());
        Ok(kept.then(|| Arc::new(self.key(purpose, id.get())) as _))
    }
}
