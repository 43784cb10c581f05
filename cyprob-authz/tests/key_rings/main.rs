//! Rings of keys while they are rotated and revoked.
#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cyprob_authz::adapters::MemoryKeys;
use cyprob_authz::domain::{
    AccessClaims, Audience, KEY_LEAD, KEY_TERM, KeyPlan, KeyPurpose, NewKey, RootKeyId,
};
use cyprob_authz::ports::{
    CustodyError, KeyCustody, PlanOutcome, PlanVersion, SignError, StoredPlan, TokenSigner,
};
use cyprob_authz::service::{
    AccessMinter, CacheLimits, KeyOperations, KeyRings, MintError, TokenError, TokenVerifier,
};
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{Aal, Caller, Epoch, Timestamp};
use cyprob_core::ports::EntropyExt as _;
use cyprob_core::testkit::SeededEntropy;
use secrecy::{ExposeSecret as _, SecretBox};

const AT: Timestamp = Timestamp::from_seconds(1_800_000_000);
const USER: KeyPurpose = KeyPurpose::User;
const FIRST: RootKeyId = RootKeyId::new(1);
const SECOND: RootKeyId = RootKeyId::new(2);

mod memory_keys {
    use std::sync::Arc;

    use cyprob_authz::adapters::MemoryKeys;
    use cyprob_authz::ports::KeyCustody;
    use secrecy::SecretBox;

    fn make() -> (Arc<dyn KeyCustody>, ()) {
        let seed = SecretBox::new(Box::new([7; 32]));
        (Arc::new(MemoryKeys::new(seed)), ())
    }

    cyprob_authz::key_custody_conformance!(make);
}

fn after(seconds: u64) -> Timestamp {
    AT.after(Duration::from_secs(seconds))
}

/// One node: its rings, and what mints and verifies with them.
struct Node {
    rings: KeyRings,
    minter: AccessMinter,
    verifier: TokenVerifier,
    entropy: Arc<SeededEntropy>,
    audience: Audience,
}

impl Node {
    async fn on(custody: Arc<dyn KeyCustody>, seed: u64) -> Self {
        let entropy = Arc::new(SeededEntropy::new(seed));
        let operations = KeyOperations::new(custody, entropy.clone());
        let rings = KeyRings::load(operations, AT).await.unwrap();
        let audience: Audience = "cyprob".parse().unwrap();
        Self {
            minter: rings.access_minter(),
            verifier: rings.token_verifier(audience.clone(), CacheLimits::default()),
            rings,
            entropy,
            audience,
        }
    }

    async fn mint(&self, at: Timestamp) -> Result<String, MintError> {
        let claims = AccessClaims {
            id: self.entropy.id(at),
            user: self.entropy.id(at),
            org: None,
            session: self.entropy.id(at),
            user_epoch: Epoch::FIRST,
            audience: self.audience.clone(),
            aal: Aal::One,
            auth_time: at,
            expires_at: at.after(Duration::from_secs(15 * 60)),
            administrator: false,
        };
        let minted = self.minter.mint(&claims, self.entropy.as_ref()).await?;
        Ok(minted.expose_secret().to_owned())
    }

    fn verify(&self, token: &str, at: Timestamp) -> Result<(), TokenError> {
        self.verifier.verify(token, at).map(drop)
    }
}

fn keys() -> Arc<dyn KeyCustody> {
    Arc::new(MemoryKeys::new(SecretBox::new(Box::new([7; 32]))))
}

#[tokio::test]
async fn tokens_of_the_old_key_are_good_through_a_rotation() {
    let custody = keys();
    let here = Node::on(Arc::clone(&custody), 1).await;
    let there = Node::on(custody, 2).await;
    let old = here.mint(AT).await.unwrap();
    here.rings
        .rotate(USER, &Caller::operator(), AT)
        .await
        .unwrap();
    // The other node reads the plan a minute late, and its clock is a minute behind.
    there.rings.reload(AT).await.unwrap();
    let lead = KEY_LEAD.as_secs();
    let last_of_old = here.mint(after(lead - 1)).await.unwrap();
    let first_of_new = here.mint(after(lead)).await.unwrap();
    for node in [&here, &there] {
        assert_eq!(node.verify(&old, after(899)), Ok(()));
        assert_eq!(node.verify(&first_of_new, after(lead - 60)), Ok(()));
        assert_eq!(node.verify(&last_of_old, after(lead + 898)), Ok(()));
        assert_eq!(node.verify(&first_of_new, after(lead + 899)), Ok(()));
    }
    // A node that read the plan before the new key signed mints with it when its time comes.
    let later = there.mint(after(lead)).await.unwrap();
    assert_eq!(here.verify(&later, after(lead)), Ok(()));
}

#[tokio::test]
async fn what_a_revoked_key_signed_is_refused_at_once_also_where_it_is_remembered() {
    let node = Node::on(keys(), 1).await;
    let token = node.mint(AT).await.unwrap();
    assert_eq!(node.verify(&token, AT), Ok(()));
    assert_eq!(node.verifier.cached().0, 1);
    node.rings
        .revoke(USER, FIRST, &Caller::operator(), AT)
        .await
        .unwrap();
    assert_eq!(node.verify(&token, AT), Err(TokenError::UnknownKey));
    let token = node.mint(AT).await.unwrap();
    assert_eq!(node.verify(&token, AT), Ok(()));
}

#[tokio::test]
async fn another_node_refuses_a_revoked_key_once_it_has_read_the_plan() {
    let custody = keys();
    let here = Node::on(Arc::clone(&custody), 1).await;
    let there = Node::on(custody, 2).await;
    // With a published key at hand, nothing of the other node's is refused meanwhile.
    here.rings
        .rotate(USER, &Caller::operator(), AT)
        .await
        .unwrap();
    there.rings.reload(AT).await.unwrap();
    let token = there.mint(AT).await.unwrap();
    assert_eq!(there.verify(&token, AT), Ok(()));
    here.rings
        .revoke(USER, FIRST, &Caller::operator(), AT)
        .await
        .unwrap();
    let fresh = here.mint(AT).await.unwrap();
    assert_eq!(there.verify(&fresh, AT), Ok(()));
    there.rings.reload(AT).await.unwrap();
    assert_eq!(there.verify(&token, AT), Err(TokenError::UnknownKey));
    let fresh = there.mint(AT).await.unwrap();
    assert_eq!(here.verify(&fresh, AT), Ok(()));
}

#[tokio::test]
async fn a_retired_key_leaves_the_ring() {
    let node = Node::on(keys(), 1).await;
    node.rings
        .rotate(USER, &Caller::operator(), AT)
        .await
        .unwrap();
    let ids = |at| {
        let ring = node.rings.plan(USER).ring(at).unwrap();
        ring.iter().map(|key| key.id.get()).collect::<Vec<_>>()
    };
    let end = AT.after(KEY_LEAD).after(KEY_TERM);
    assert_eq!(ids(end.before(Duration::from_secs(1))), [1, 2]);
    assert_eq!(ids(end), [2]);
    node.rings.reload(end).await.unwrap();
    assert!(node.rings.ring(USER).current().get(FIRST).is_none());
}

/// A custody that can be cut off, and whose signers can refuse.
#[derive(Debug)]
struct Remote {
    kept: Arc<dyn KeyCustody>,
    down: Arc<AtomicBool>,
    /// No signer can be had any more.
    mute: AtomicBool,
}

#[derive(Debug)]
struct RemoteSigner {
    kept: Arc<dyn TokenSigner>,
    down: Arc<AtomicBool>,
}

impl Remote {
    fn new() -> (Arc<Self>, Arc<AtomicBool>) {
        let down = Arc::new(AtomicBool::new(false));
        let remote = Self {
            kept: keys(),
            down: Arc::clone(&down),
            mute: AtomicBool::new(false),
        };
        (Arc::new(remote), down)
    }

    fn asked(&self) -> Result<(), CustodyError> {
        match self.down.load(Ordering::SeqCst) {
            true => Err(CustodyError::unavailable("cut off")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl TokenSigner for RemoteSigner {
    fn id(&self) -> RootKeyId {
        self.kept.id()
    }

    fn public(&self) -> [u8; 32] {
        self.kept.public()
    }

    async fn ready(&self) -> Result<(), SignError> {
        match self.down.load(Ordering::SeqCst) {
            true => Err(SignError::new("cut off")),
            false => Ok(()),
        }
    }

    async fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        self.ready().await?;
        // Another machine does not answer at once.
        tokio::task::yield_now().await;
        self.kept.sign(message).await
    }
}

#[async_trait]
impl KeyCustody for Remote {
    async fn plan(&self, purpose: KeyPurpose, at: Timestamp) -> Result<StoredPlan, CustodyError> {
        self.asked()?;
        self.kept.plan(purpose, at).await
    }

    async fn create(&self, purpose: KeyPurpose, at: Timestamp) -> Result<NewKey, CustodyError> {
        self.asked()?;
        self.kept.create(purpose, at).await
    }

    async fn change(
        &self,
        purpose: KeyPurpose,
        expected: PlanVersion,
        plan: &KeyPlan,
        unrecorded: &[AuditEvent],
        at: Timestamp,
    ) -> Result<PlanOutcome, CustodyError> {
        self.asked()?;
        let changed = self.kept.change(purpose, expected, plan, unrecorded, at);
        changed.await
    }

    async fn signer(
        &self,
        purpose: KeyPurpose,
        id: RootKeyId,
    ) -> Result<Option<Arc<dyn TokenSigner>>, CustodyError> {
        self.asked()?;
        if self.mute.load(Ordering::SeqCst) {
            return Err(CustodyError::unavailable("mute"));
        }
        let kept = self.kept.signer(purpose, id).await?;
        let down = Arc::clone(&self.down);
        Ok(kept.map(|kept| Arc::new(RemoteSigner { kept, down }) as _))
    }
}

#[tokio::test]
async fn a_signer_on_another_machine_signs_as_one_here_does() {
    let (custody, down) = Remote::new();
    let node = Node::on(custody, 1).await;
    node.minter.ready(AT).await.unwrap();
    let token = node.mint(AT).await.unwrap();
    assert_eq!(node.verify(&token, AT), Ok(()));
    // That it does not sign is known before anything is changed.
    down.store(true, Ordering::SeqCst);
    assert!(matches!(
        node.minter.ready(AT).await,
        Err(MintError::Sign(_))
    ));
    assert!(matches!(node.mint(AT).await, Err(MintError::Sign(_))));
    // Verifying needs nobody.
    assert_eq!(node.verify(&token, after(10)), Ok(()));
}

#[tokio::test]
async fn a_node_that_cannot_read_the_plans_goes_on_and_says_so_after_a_minute() {
    let (custody, down) = Remote::new();
    let node = Node::on(custody, 1).await;
    let token = node.mint(AT).await.unwrap();
    down.store(true, Ordering::SeqCst);
    for seconds in [0, 5, 60] {
        assert!(node.rings.reload(after(seconds)).await.is_err());
        assert!(!node.rings.is_stale(after(seconds)));
    }
    assert!(node.rings.is_stale(after(61)));
    assert_eq!(node.verify(&token, after(61)), Ok(()));
    down.store(false, Ordering::SeqCst);
    node.rings.reload(after(62)).await.unwrap();
    assert!(!node.rings.is_stale(after(62)));
}

#[tokio::test]
async fn a_revocation_waits_for_no_signer() {
    let (custody, _) = Remote::new();
    let node = Node::on(Arc::clone(&custody) as _, 1).await;
    let token = node.mint(AT).await.unwrap();
    let elsewhere = node.rings.operations().clone();
    let plan = elsewhere.revoke(USER, FIRST, &Caller::operator(), AT).await;
    assert_eq!(plan.unwrap().signer(AT), SECOND);
    // The plan can be read; what signs with the new key cannot be had.
    custody.mute.store(true, Ordering::SeqCst);
    assert!(node.rings.reload(AT).await.is_err());
    assert_eq!(node.verify(&token, AT), Err(TokenError::UnknownKey));
    // Nothing signs then, least of all the revoked key.
    assert!(matches!(node.mint(AT).await, Err(MintError::NoSigner)));
    custody.mute.store(false, Ordering::SeqCst);
    node.rings.reload(AT).await.unwrap();
    let token = node.mint(AT).await.unwrap();
    assert_eq!(node.verify(&token, AT), Ok(()));
}
