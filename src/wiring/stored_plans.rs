//! The plans of the token rings in a secret store, and whatever else a custody keeps beside them.

use std::sync::Arc;

use cyprob_authz::domain::{KeyPlan, KeyPurpose};
use cyprob_authz::ports::{CustodyError, PlanOutcome, PlanVersion, StoredPlan, WaitingEvent};
use cyprob_core::domain::Timestamp;
use cyprob_secrets::domain::{
    LocalRef, SecretName, SecretRef, SecretValue, SecretVersion, SourceVersion,
};
use cyprob_secrets::ports::{Expected, PutOutcome, Secret, SecretStore};
use secrecy::ExposeSecret;

use super::plan_text;

/// How often a value is put while others put theirs.
const TRIES: u32 = 8;

/// Keeps the plan of each ring as a secret of its own, in a store that a custody may use besides.
#[derive(Clone, Debug)]
pub(super) struct StoredPlans {
    store: Arc<dyn SecretStore>,
    /// What the names of a ring's secrets end with.
    kind: &'static str,
}

impl StoredPlans {
    /// Plans of the custody of this kind, which finds no other's.
    pub(super) fn new(store: Arc<dyn SecretStore>, kind: &'static str) -> Self {
        Self { store, kind }
    }

    /// The name of a ring's secret: of its plan, or of its keys.
    pub(super) fn name(&self, purpose: KeyPurpose, of: &str) -> Result<SecretName, CustodyError> {
        let text = format!("keys/{purpose}-{}{of}", self.kind);
        text.parse().map_err(CustodyError::unavailable)
    }

    fn plan_name(&self, purpose: KeyPurpose) -> Result<SecretName, CustodyError> {
        self.name(purpose, "-plan")
    }

    /// A version of a secret and its number; the newest if none is named.
    pub(super) async fn read(
        &self,
        purpose: KeyPurpose,
        name: &SecretName,
        version: Option<SecretVersion>,
    ) -> Result<Option<(Secret, SecretVersion)>, CustodyError> {
        let reference = SecretRef::Local(LocalRef::new(name.clone(), version));
        let found = self.store.read(&reference).await;
        let Some(secret) = found.map_err(CustodyError::unavailable)? else {
            return Ok(None);
        };
        let number = secret.version.as_ref().and_then(SourceVersion::number);
        let version = number.ok_or(CustodyError::Damaged(purpose))?;
        Ok(Some((secret, version)))
    }

    /// Puts the first value of a secret, unless somebody else did: then theirs stays.
    pub(super) async fn put_first(
        &self,
        name: &SecretName,
        value: &SecretValue,
        at: Timestamp,
    ) -> Result<(), CustodyError> {
        let put = self.store.put(name, value, Expected::Absent, at).await;
        let (PutOutcome::Stored(_) | PutOutcome::Conflict(_)) =
            put.map_err(CustodyError::unavailable)?;
        Ok(())
    }

    /// Puts a value behind the newest one, and says which version it is: nobody else has that.
    pub(super) async fn append(
        &self,
        name: &SecretName,
        value: &SecretValue,
        newest: Option<SecretVersion>,
        at: Timestamp,
    ) -> Result<SecretVersion, CustodyError> {
        let mut newest = newest;
        for _ in 0..TRIES {
            let expected = newest.map_or(Expected::Absent, Expected::Version);
            let put = self.store.put(name, value, expected, at).await;
            match put.map_err(CustodyError::unavailable)? {
                PutOutcome::Stored(version) => return Ok(version),
                PutOutcome::Conflict(other) => newest = other,
            }
        }
        Err(CustodyError::unavailable("others make keys all the while"))
    }

    /// The plan that is kept.
    pub(super) async fn kept(
        &self,
        purpose: KeyPurpose,
    ) -> Result<Option<StoredPlan>, CustodyError> {
        let name = self.plan_name(purpose)?;
        let Some((secret, version)) = self.read(purpose, &name, None).await? else {
            return Ok(None);
        };
        let text = plan_text::read(secret.value.expose_secret());
        let (plan, unrecorded) = text.ok_or(CustodyError::Damaged(purpose))?;
        Ok(Some(StoredPlan {
            plan,
            unrecorded,
            version: PlanVersion(version.get()),
        }))
    }

    /// Puts the first plan of a ring, unless somebody else did; either way gives the one that is kept.
    pub(super) async fn begin(
        &self,
        purpose: KeyPurpose,
        plan: &KeyPlan,
        at: Timestamp,
    ) -> Result<StoredPlan, CustodyError> {
        let name = self.plan_name(purpose)?;
        self.put_first(&name, &text(plan, &[])?, at).await?;
        let kept = self.kept(purpose).await?;
        kept.ok_or(CustodyError::Damaged(purpose))
    }

    /// Puts a plan in place of the state that was read.
    pub(super) async fn change(
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
        let (name, text) = (self.plan_name(purpose)?, text(plan, unrecorded)?);
        let expected = Expected::Version(version);
        let put = self.store.put(&name, &text, expected, at).await;
        Ok(match put.map_err(CustodyError::unavailable)? {
            PutOutcome::Stored(_) => PlanOutcome::Changed,
            PutOutcome::Conflict(_) => PlanOutcome::Raced,
        })
    }
}

fn text(plan: &KeyPlan, unrecorded: &[WaitingEvent]) -> Result<SecretValue, CustodyError> {
    let text = plan_text::write(plan, unrecorded).map_err(CustodyError::unavailable)?;
    SecretValue::new(text).map_err(CustodyError::unavailable)
}
