//! Who keeps the keys that sign tokens.

use std::error::Error;
use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;
use cyprob_core::domain::audit::AuditEvent;

use crate::domain::{KeyPlan, KeyPurpose, NewKey, RootKeyId};

/// The keys cannot be read, made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// What is kept is not what was put there.
    #[error("the kept keys of the ring {0} are damaged")]
    Damaged(KeyPurpose),
    /// The custody cannot be asked, or failed.
    #[error("the keys' custody is unavailable")]
    Unavailable {
        /// The cause, for the log.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl CustodyError {
    /// What an adapter answers when it fails; the cause is for the log alone.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable {
            source: source.into(),
        }
    }
}

/// The message was not signed.
#[derive(Debug, thiserror::Error)]
#[error("the signer does not sign")]
pub struct SignError(#[source] Box<dyn Error + Send + Sync>);

impl SignError {
    /// Wraps the cause, which goes to the log only.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Which state of a plan was read; a change names the one that it changes, and its own is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanVersion(pub u64);

/// The event of a change on its way to the trail, as JSON.
///
/// It is read only when it is recorded, so that an event that a newer version
/// wrote hides no plan.
#[derive(Clone, PartialEq, Eq)]
pub struct WaitingEvent(String);

impl WaitingEvent {
    /// Writes an event down.
    ///
    /// # Errors
    ///
    /// [`CustodyError::Unavailable`] if it has no form as JSON.
    pub fn of(event: &AuditEvent) -> Result<Self, CustodyError> {
        let json = serde_json::to_string(event);
        json.map(Self).map_err(CustodyError::unavailable)
    }

    /// Takes it as it was kept.
    #[must_use]
    pub const fn kept(json: String) -> Self {
        Self(json)
    }

    /// The JSON, to be kept.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.0
    }

    /// The event.
    ///
    /// # Errors
    ///
    /// [`CustodyError::Unavailable`] if this version cannot read it.
    pub fn event(&self) -> Result<AuditEvent, CustodyError> {
        serde_json::from_str(&self.0).map_err(CustodyError::unavailable)
    }
}

/// Says how long it is; what it says of persons is not for a log.
impl fmt::Debug for WaitingEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WaitingEvent({} bytes)", self.0.len())
    }
}

/// A plan as it is kept.
#[derive(Clone, Debug)]
pub struct StoredPlan {
    /// The plan.
    pub plan: KeyPlan,
    /// The events of its changes that are not in the audit trail yet.
    pub unrecorded: Vec<WaitingEvent>,
    /// Which state this is.
    pub version: PlanVersion,
}

/// How a change of a plan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanOutcome {
    /// It is kept, durably.
    Changed,
    /// Nothing changed: somebody else changed the plan meanwhile.
    Raced,
}

/// Signs tokens with one key, which may be kept in another place.
#[async_trait]
pub trait TokenSigner: Debug + Send + Sync + 'static {
    /// The key's id.
    fn id(&self) -> RootKeyId;

    /// Its public half: the 32 bytes of RFC 8032.
    fn public(&self) -> [u8; 32];

    /// Whether it can sign at this moment; asked before a change that a token must follow.
    ///
    /// # Errors
    ///
    /// [`SignError`] if a signature is not to be had.
    async fn ready(&self) -> Result<(), SignError>;

    /// The Ed25519 signature of the message itself, not of a hash of it.
    ///
    /// # Errors
    ///
    /// [`SignError`] if there is none.
    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// Keeps the keys of every ring and the plan that says what each is for.
///
/// No method gives out or takes in a private key, so that a custody may be a
/// machine that never lets one go. The plan, and the events that wait for the
/// trail, are all that it must keep beside them.
#[async_trait]
pub trait KeyCustody: Debug + Send + Sync + 'static {
    /// The plan of a ring; makes it with a first key if there is none.
    ///
    /// Of several that make the first one at once, all are given the same.
    ///
    /// # Errors
    ///
    /// [`CustodyError`].
    async fn plan(&self, purpose: KeyPurpose, at: Timestamp) -> Result<StoredPlan, CustodyError>;

    /// Makes a key, which is in no plan yet.
    ///
    /// Its id is greater than that of every key made before for this ring; no
    /// id is given out twice, not even to two that ask at once. The ring's plan
    /// must have been made.
    ///
    /// # Errors
    ///
    /// [`CustodyError`]; a key that nobody knows of may have been made then.
    async fn create(&self, purpose: KeyPurpose, at: Timestamp) -> Result<NewKey, CustodyError>;

    /// Puts a plan and its waiting events in place of the state that was read.
    ///
    /// Of several that change the same state, exactly one does.
    ///
    /// # Errors
    ///
    /// [`CustodyError`]; after `Unavailable` it may or may not be in place.
    async fn change(
        &self,
        purpose: KeyPurpose,
        expected: PlanVersion,
        plan: &KeyPlan,
        unrecorded: &[WaitingEvent],
        at: Timestamp,
    ) -> Result<PlanOutcome, CustodyError>;

    /// What signs with a key; none if the key is not kept here.
    ///
    /// # Errors
    ///
    /// [`CustodyError`].
    async fn signer(
        &self,
        purpose: KeyPurpose,
        id: RootKeyId,
    ) -> Result<Option<Arc<dyn TokenSigner>>, CustodyError>;
}
