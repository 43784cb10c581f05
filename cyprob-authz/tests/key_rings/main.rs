//! Rings of keys while they are rotated and revoked.
#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

mod remote;

use std::sync::Arc;
use std::time::Duration;

use cyprob_authz::adapters::MemoryKeys;
use cyprob_authz::domain::{AccessClaims, Audience, KEY_LEAD, KEY_TERM, KeyPurpose, RootKeyId};
use cyprob_authz::ports::KeyCustody;
use cyprob_authz::service::{
    AccessMinter, CacheLimits, KeyOperations, KeyRings, MintError, TokenError, TokenVerifier,
};
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

    async fn make() -> (Arc<dyn KeyCustody>, ()) {
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
