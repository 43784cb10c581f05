//! What every [`KeyCustody`] must do, one function per behaviour.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::{Caller, Timestamp};
use cyprob_core::testkit::SeededEntropy;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::domain::{KeyPurpose, PlanError, RootKeyId};
use crate::ports::{KeyCustody, PlanOutcome};
use crate::service::{KeyOperationError, KeyOperations};

const AT: Timestamp = Timestamp::from_seconds(1_800_000_000);
const USER: KeyPurpose = KeyPurpose::User;

/// Makes one `#[tokio::test]` per behaviour for a custody.
///
/// The argument is an async function that makes an empty custody, as `Arc<dyn
/// KeyCustody>`, and what must outlive it.
#[macro_export]
macro_rules! key_custody_conformance {
    ($make:expr) => {
        $crate::key_custody_conformance! { $make;
            a_ring_begins_with_one_key_that_signs
            a_change_is_read_back
            of_two_changes_of_one_state_one_holds
            ids_go_up_and_are_given_out_once
            a_signer_signs_for_the_published_key
            a_key_that_was_never_made_has_no_signer
            rings_are_apart
            two_rotations_at_once_leave_one_key_on_its_way
            two_revocations_at_once_both_hold
        }
    };
    ($make:expr; $($behaviour:ident)*) => {
        $(#[tokio::test]
        async fn $behaviour() {
            let (custody, _alive) = ($make)().await;
            $crate::testkit::key_custody::$behaviour(custody).await;
        })*
    };
}

type Custody = Arc<dyn KeyCustody>;

fn operations(custody: &Custody, seed: u64) -> KeyOperations {
    KeyOperations::new(Arc::clone(custody), Arc::new(SeededEntropy::new(seed)))
}

/// The first look makes a key that signs, and the second one finds it.
pub async fn a_ring_begins_with_one_key_that_signs(custody: Custody) {
    let first = custody.plan(USER, AT).await.expect("a plan");
    assert_eq!(first.plan.keys().len(), 1);
    assert!(first.unrecorded.is_empty());
    let again = custody.plan(USER, AT.after(Duration::from_secs(9))).await;
    let again = again.expect("a plan");
    assert_eq!(again.plan, first.plan);
    assert_eq!(again.version, first.version);
}

/// A plan comes back as it was put, with the events that wait beside it, until they are recorded.
pub async fn a_change_is_read_back(custody: Custody) {
    let operations = operations(&custody, 1);
    let changed = operations.rotate(USER, &Caller::operator(), AT).await;
    let changed = changed.expect("a change");
    let read = custody.plan(USER, AT).await.expect("a plan");
    assert_eq!(read.plan, changed);
    let [waiting] = read.unrecorded.as_slice() else {
        panic!("one change has one event");
    };
    let event = waiting.event().expect("an event");
    assert_eq!(event.action.as_str(), "token_key.rotated");
    assert_eq!(event.resource.id, format!("user/{}", changed.last()));
    let version = read.version;
    let recorded = operations.recorded(USER, &read.unrecorded, AT).await;
    recorded.expect("a change");
    let read = custody.plan(USER, AT).await.expect("a plan");
    assert_eq!(read.plan, changed);
    assert!(read.unrecorded.is_empty());
    assert!(read.version > version, "versions go up");
}

/// Who changes a state that is past changes nothing.
pub async fn of_two_changes_of_one_state_one_holds(custody: Custody) {
    let stored = custody.plan(USER, AT).await.expect("a plan");
    let key = custody.create(USER, AT).await.expect("a key");
    let plan = stored.plan.rotate(key, AT).expect("a plan");
    let change = |plan| custody.change(USER, stored.version, plan, &[], AT);
    let done = change(&plan).await.expect("a change");
    assert_eq!(done, PlanOutcome::Changed);
    let raced = change(&stored.plan).await.expect("an answer");
    assert_eq!(raced, PlanOutcome::Raced);
    assert_eq!(custody.plan(USER, AT).await.expect("a plan").plan, plan);
}

/// Keys made one after another or at once have ids of their own, each greater than the first.
pub async fn ids_go_up_and_are_given_out_once(custody: Custody) {
    let first = custody.plan(USER, AT).await.expect("a plan").plan.last();
    let one = custody.create(USER, AT).await.expect("a key");
    let made = tokio::join!(
        custody.create(USER, AT),
        custody.create(USER, AT),
        custody.create(USER, AT)
    );
    let made = [made.0, made.1, made.2].map(|key| key.expect("a key"));
    let mut ids: Vec<_> = made.iter().map(|key| key.id).collect();
    ids.extend([first, one.id]);
    assert!(first < one.id && made.iter().all(|key| key.id > one.id));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

/// What a signer signs verifies with the public key in the plan, and with no other.
pub async fn a_signer_signs_for_the_published_key(custody: Custody) {
    let plan = operations(&custody, 1)
        .rotate(USER, &Caller::operator(), AT)
        .await;
    let plan = plan.expect("a plan");
    for key in plan.keys() {
        let signer = custody.signer(USER, key.id).await.expect("an answer");
        let signer = signer.expect("a signer");
        assert_eq!((signer.id(), signer.public()), (key.id, key.public));
        signer.ready().await.expect("a signer that signs");
        let signature = signer.sign(b"a message").await.expect("a signature");
        for other in plan.keys() {
            let public = VerifyingKey::from_bytes(&other.public).expect("a key");
            let holds = public.verify_strict(b"a message", &Signature::from_bytes(&signature));
            assert_eq!(holds.is_ok(), other.id == key.id);
        }
    }
}

/// Nothing signs with an id that was not given out.
pub async fn a_key_that_was_never_made_has_no_signer(custody: Custody) {
    let last = custody.plan(USER, AT).await.expect("a plan").plan.last();
    for id in [RootKeyId::new(0), RootKeyId::new(last.get() + 1)] {
        let signer = custody.signer(USER, id).await.expect("an answer");
        assert!(signer.is_none(), "{id}");
    }
}

/// A change of one ring is none of another, and no two rings share a key.
pub async fn rings_are_apart(custody: Custody) {
    let mut publics = Vec::new();
    for purpose in KeyPurpose::ALL {
        let plan = custody.plan(purpose, AT).await.expect("a plan").plan;
        publics.extend(plan.keys().iter().map(|key| key.public));
    }
    publics.sort_unstable();
    publics.dedup();
    assert_eq!(publics.len(), 3);
    let changed = operations(&custody, 1)
        .rotate(USER, &Caller::operator(), AT)
        .await;
    changed.expect("a change");
    for purpose in [KeyPurpose::Service, KeyPurpose::Worker] {
        let plan = custody.plan(purpose, AT).await.expect("a plan").plan;
        assert_eq!(plan.keys().len(), 1, "{purpose}");
    }
}

/// Of two operators who rotate at once one does, and the other is told of it.
pub async fn two_rotations_at_once_leave_one_key_on_its_way(custody: Custody) {
    let (one, two) = (operations(&custody, 1), operations(&custody, 2));
    let caller = Caller::operator();
    let both = tokio::join!(one.rotate(USER, &caller, AT), two.rotate(USER, &caller, AT));
    let told = |result: &Result<_, KeyOperationError>| {
        matches!(
            result,
            Err(KeyOperationError::Plan(PlanError::Pending { .. }))
        )
    };
    assert!(
        (both.0.is_ok() && told(&both.1)) || (both.1.is_ok() && told(&both.0)),
        "{both:?}"
    );
    let stored = custody.plan(USER, AT).await.expect("a plan");
    assert_eq!(stored.plan.keys().len(), 2);
    assert_eq!(stored.unrecorded.len(), 1);
}

/// Of two changes at once none is lost.
pub async fn two_revocations_at_once_both_hold(custody: Custody) {
    let (one, two) = (operations(&custody, 1), operations(&custody, 2));
    let caller = Caller::operator();
    let plan = one.rotate(USER, &caller, AT).await.expect("a plan");
    let (first, second) = (plan.signing(), plan.last());
    let both = tokio::join!(
        one.revoke(USER, first, &caller, AT),
        two.revoke(USER, second, &caller, AT)
    );
    assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
    let stored = custody.plan(USER, AT).await.expect("a plan");
    for id in [first, second] {
        let key = stored.plan.key(id).expect("a key");
        assert_eq!(key.revoked_at, Some(AT), "{id}");
    }
    assert!(stored.plan.signer(AT) > second);
    assert_eq!(stored.unrecorded.len(), 3);
}
