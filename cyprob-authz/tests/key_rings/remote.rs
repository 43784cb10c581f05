//! Rings of keys whose custody is on another machine, cut off, silent or wrong.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cyprob_authz::domain::{KeyPlan, KeyPurpose, NewKey, RootKeyId};
use cyprob_authz::ports::{
    CustodyError, KeyCustody, PlanOutcome, PlanVersion, SignError, StoredPlan, TokenSigner,
    WaitingEvent,
};
use cyprob_authz::service::{KeyOperationError, KeyRingsError, MintError, TokenError};
use cyprob_core::domain::{Caller, Timestamp};

use super::{AT, FIRST, Node, SECOND, USER, after, keys};

/// 32 bytes that are no Ed25519 public key.
fn no_key() -> [u8; 32] {
    let mut all = (0..=255).map(|byte| [byte; 32]);
    let none = |bytes: &[u8; 32]| ed25519_dalek::VerifyingKey::from_bytes(bytes).is_err();
    all.find(none).unwrap()
}

/// A custody that can be cut off, and whose signers can refuse.
#[derive(Debug)]
struct Remote {
    kept: Arc<dyn KeyCustody>,
    down: Arc<AtomicBool>,
    /// No signer can be had any more.
    mute: AtomicBool,
    /// Nothing is answered any more.
    hangs: AtomicBool,
    /// What is asked for a signer of people's tokens is not answered.
    signer_hangs: AtomicBool,
    /// The keys that it makes are none.
    bad: AtomicBool,
    /// The plan that it has, whatever was changed.
    copy: Mutex<Option<StoredPlan>>,
    asked: AtomicUsize,
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
            mute: AtomicBool::default(),
            hangs: AtomicBool::default(),
            signer_hangs: AtomicBool::default(),
            bad: AtomicBool::default(),
            copy: Mutex::default(),
            asked: AtomicUsize::default(),
        };
        (Arc::new(remote), down)
    }

    async fn asked(&self) -> Result<(), CustodyError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
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
        self.asked().await?;
        let copy = self.copy.lock().unwrap().clone();
        match copy.filter(|_| purpose == USER) {
            Some(copy) => Ok(copy),
            None => self.kept.plan(purpose, at).await,
        }
    }

    async fn create(&self, purpose: KeyPurpose, at: Timestamp) -> Result<NewKey, CustodyError> {
        self.asked().await?;
        let mut key = self.kept.create(purpose, at).await?;
        if self.bad.load(Ordering::SeqCst) {
            key.public = no_key();
        }
        Ok(key)
    }

    async fn change(
        &self,
        purpose: KeyPurpose,
        expected: PlanVersion,
        plan: &KeyPlan,
        unrecorded: &[WaitingEvent],
        at: Timestamp,
    ) -> Result<PlanOutcome, CustodyError> {
        self.asked().await?;
        let changed = self.kept.change(purpose, expected, plan, unrecorded, at);
        changed.await
    }

    async fn signer(
        &self,
        purpose: KeyPurpose,
        id: RootKeyId,
    ) -> Result<Option<Arc<dyn TokenSigner>>, CustodyError> {
        self.asked().await?;
        if self.signer_hangs.load(Ordering::SeqCst) && purpose == USER {
            pending::<()>().await;
        }
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

#[tokio::test(start_paused = true)]
async fn a_custody_that_does_not_answer_holds_up_nothing_for_ever() {
    let (custody, _) = Remote::new();
    let node = Node::on(Arc::clone(&custody) as _, 1).await;
    let token = node.mint(AT).await.unwrap();
    custody.hangs.store(true, Ordering::SeqCst);
    let before = custody.asked.load(Ordering::SeqCst);
    for seconds in (0..=60).step_by(5) {
        assert!(node.rings.reload(after(seconds)).await.is_err());
    }
    // It is asked once for each ring, and not again meanwhile.
    assert_eq!(custody.asked.load(Ordering::SeqCst) - before, 3);
    assert!(!node.rings.is_stale(after(60)));
    assert!(node.rings.is_stale(after(61)));
    assert_eq!(node.verify(&token, after(61)), Ok(()));
    let caller = Caller::operator();
    assert!(node.rings.rotate(USER, &caller, AT).await.is_err());
    assert!(node.rings.revoke(USER, FIRST, &caller, AT).await.is_err());
    custody.hangs.store(false, Ordering::SeqCst);
    // What was never answered is given up.
    node.rings.reload(after(66)).await.unwrap();
    assert!(!node.rings.is_stale(after(66)));
    node.rings.rotate(USER, &caller, after(66)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_does_not_answer_keeps_no_revocation_of_another_ring() {
    let (custody, _) = Remote::new();
    let node = Node::on(Arc::clone(&custody) as _, 1).await;
    let token = node.mint(AT).await.unwrap();
    custody.signer_hangs.store(true, Ordering::SeqCst);
    let elsewhere = node.rings.operations().clone();
    for purpose in KeyPurpose::ALL {
        let caller = Caller::operator();
        let revoked = elsewhere.revoke(purpose, FIRST, &caller, AT);
        revoked.await.unwrap();
    }
    let reload = node.rings.reload(AT);
    // Long before the signer is given up.
    let cut = tokio::time::timeout(Duration::from_secs(1), reload).await;
    assert!(cut.is_err());
    assert_eq!(node.verify(&token, AT), Err(TokenError::UnknownKey));
    for purpose in KeyPurpose::ALL {
        let ring = node.rings.ring(purpose).current();
        assert!(!ring.get(FIRST).unwrap().verifies(AT), "{purpose}");
    }
}

#[tokio::test]
async fn an_older_plan_brings_no_revoked_key_back() {
    let (custody, _) = Remote::new();
    let node = Node::on(Arc::clone(&custody) as _, 1).await;
    let token = node.mint(AT).await.unwrap();
    let copy = custody.plan(USER, AT).await.unwrap();
    let caller = Caller::operator();
    let revoked = node.rings.revoke(USER, FIRST, &caller, AT);
    revoked.await.unwrap();
    *custody.copy.lock().unwrap() = Some(copy);
    let reloaded = node.rings.reload(after(61)).await;
    assert!(matches!(reloaded, Err(KeyRingsError::Older(USER))));
    assert_eq!(node.verify(&token, AT), Err(TokenError::UnknownKey));
    assert!(node.rings.is_stale(after(61)));
    *custody.copy.lock().unwrap() = None;
    node.rings.reload(after(61)).await.unwrap();
    assert!(!node.rings.is_stale(after(61)));
}

#[tokio::test]
async fn what_is_no_key_comes_into_no_plan() {
    let (custody, _) = Remote::new();
    let node = Node::on(Arc::clone(&custody) as _, 1).await;
    custody.bad.store(true, Ordering::SeqCst);
    let caller = Caller::operator();
    let rotated = node.rings.rotate(USER, &caller, AT).await;
    assert!(matches!(rotated, Err(KeyOperationError::BadKey(SECOND))));
    let revoked = node.rings.revoke(USER, FIRST, &caller, AT).await;
    assert!(matches!(revoked, Err(KeyOperationError::BadKey(_))));
    let plan = custody.plan(USER, AT).await.unwrap().plan;
    assert_eq!(plan.keys().len(), 1);
    // One that got there all the same is ended like any other.
    let bad = NewKey {
        id: RootKeyId::new(9),
        public: no_key(),
    };
    let mut copy = custody.plan(USER, AT).await.unwrap();
    copy.plan = copy.plan.rotate(bad, AT).unwrap();
    *custody.copy.lock().unwrap() = Some(copy.clone());
    assert!(node.rings.reload(AT).await.is_err());
    copy.plan = copy.plan.revoke(RootKeyId::new(9), None, AT).unwrap();
    *custody.copy.lock().unwrap() = Some(copy);
    node.rings.reload(AT).await.unwrap();
}

#[tokio::test]
async fn a_change_that_is_not_in_force_here_is_no_success() {
    let (custody, _) = Remote::new();
    let node = Node::on(Arc::clone(&custody) as _, 1).await;
    let token = node.mint(AT).await.unwrap();
    custody.mute.store(true, Ordering::SeqCst);
    let caller = Caller::operator();
    let revoked = node.rings.revoke(USER, FIRST, &caller, AT);
    assert!(matches!(
        revoked.await,
        Err(KeyOperationError::NotInForce(_))
    ));
    assert_eq!(node.verify(&token, AT), Err(TokenError::UnknownKey));
    assert_eq!(node.rings.plan(USER).signer(AT), SECOND);
}

#[tokio::test]
async fn what_signs_with_another_key_than_the_plan_names_is_not_used() {
    let (custody, _) = Remote::new();
    let node = Node::on(Arc::clone(&custody) as _, 1).await;
    let mut copy = custody.plan(USER, AT).await.unwrap();
    let other = custody.plan(KeyPurpose::Worker, AT).await.unwrap().plan;
    let key = NewKey {
        id: FIRST,
        public: other.keys().first().unwrap().public,
    };
    copy.plan = KeyPlan::first(key, AT);
    *custody.copy.lock().unwrap() = Some(copy);
    let reloaded = node.rings.reload(AT).await;
    assert!(matches!(
        reloaded,
        Err(KeyRingsError::OtherKey(USER, FIRST))
    ));
    assert!(matches!(node.mint(AT).await, Err(MintError::NoSigner)));
}
