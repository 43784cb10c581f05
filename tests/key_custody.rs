//! Token keys in a secret store.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reports by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use cyprob::StoredKeys;
use cyprob::authz::adapters::SigningKey;
use cyprob::authz::domain::{KEY_LEAD, KEY_TERM, KeyPurpose, PlanError, RootKeyId};
use cyprob::authz::ports::{CustodyError, KeyCustody, TokenSigner as _};
use cyprob::authz::service::{KeyOperationError, KeyOperations};
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::domain::audit::MetaValue;
use cyprob::core::domain::{Caller, Timestamp};
use cyprob::secrets::adapters::memory::MemoryStore;
use cyprob::secrets::domain::{LocalRef, SecretName, SecretRef, SecretValue, SecretVersion};
use cyprob::secrets::ports::{Expected, SecretProvider as _, SecretStore as _};
use secrecy::{ExposeSecret as _, SecretBox};

const AT: Timestamp = Timestamp::from_seconds(1_800_000_000);
const USER: KeyPurpose = KeyPurpose::User;

mod in_memory {
    use super::*;

    async fn make() -> (Arc<dyn KeyCustody>, ()) {
        let keys = StoredKeys::new(Arc::new(MemoryStore::new()), Arc::new(SystemEntropy));
        (Arc::new(keys), ())
    }

    cyprob::authz::key_custody_conformance!(make);
}

/// As every deployment has it: one directory, of its own or shared by its nodes.
mod in_a_directory {
    use cyprob::secrets::adapters::local::{KeySource, LocalStore};

    use super::*;

    async fn make() -> (Arc<dyn KeyCustody>, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        let source = KeySource::File(home.path().join("master-key"));
        let entropy = Arc::new(SystemEntropy);
        let store = LocalStore::open(&home.path().join("secrets"), source, entropy.clone());
        let keys = StoredKeys::new(Arc::new(store.unwrap()), entropy);
        (Arc::new(keys), home)
    }

    cyprob::authz::key_custody_conformance!(make);
}

#[tokio::test]
async fn the_one_key_of_before_is_the_first_of_the_plan() {
    let store = Arc::new(MemoryStore::new());
    let name: SecretName = "keys/user-token".parse().unwrap();
    let value = SecretValue::new(vec![9; 32]).unwrap();
    let put = store.put(&name, &value, Expected::Absent, AT).await;
    put.unwrap();
    let keys = StoredKeys::new(store, Arc::new(SystemEntropy));
    let plan = keys.plan(USER, AT.after(KEY_LEAD)).await.unwrap().plan;
    let kept = SigningKey::new(RootKeyId::new(1), &SecretBox::new(Box::new([9; 32])));
    let [first] = plan.keys() else {
        panic!("one key");
    };
    assert_eq!((first.id, first.public), (kept.id(), kept.public()));
    assert_eq!((first.created_at, first.not_after), (AT, None));
    assert_eq!(plan.signer(Timestamp::UNIX_EPOCH), first.id);
}

#[tokio::test]
async fn what_is_no_plan_is_damage_and_not_the_start_of_a_new_one() {
    let store = Arc::new(MemoryStore::new());
    let keys = StoredKeys::new(Arc::clone(&store) as _, Arc::new(SystemEntropy));
    keys.plan(USER, AT).await.unwrap();
    let name: SecretName = "keys/user-token-plan".parse().unwrap();
    let reference = SecretRef::Local(LocalRef::new(name.clone(), None));
    let kept = store.read(&reference).await.unwrap().unwrap();
    let text = String::from_utf8(kept.value.expose_secret().to_vec()).unwrap();
    for (version, (good, bad)) in [
        ("\"form\":1", "\"form\":2"),
        ("\"signing\":1", "\"signing\":2"),
        ("{\"form\"", "{\"more\":1,\"form\""),
    ]
    .into_iter()
    .enumerate()
    {
        let broken = text.replace(good, bad);
        assert_ne!(broken, text);
        let value = SecretValue::new(broken.into_bytes()).unwrap();
        let newest = SecretVersion::new(u64::try_from(version).unwrap() + 1).unwrap();
        let put = store
            .put(&name, &value, Expected::Version(newest), AT)
            .await;
        put.unwrap();
        let read = keys.plan(USER, AT).await;
        assert!(matches!(read, Err(CustodyError::Damaged(USER))), "{bad}");
    }
}

fn operations(store: &Arc<MemoryStore>) -> KeyOperations {
    let keys = StoredKeys::new(Arc::clone(store) as _, Arc::new(SystemEntropy));
    KeyOperations::new(Arc::new(keys), Arc::new(SystemEntropy))
}

#[tokio::test]
async fn a_plan_that_is_lost_is_damage_once_there_was_a_second_key() {
    let store = Arc::new(MemoryStore::new());
    let name: SecretName = "keys/user-token".parse().unwrap();
    let value = SecretValue::new(vec![9; 32]).unwrap();
    for expected in [
        Expected::Absent,
        Expected::Version(SecretVersion::new(1).unwrap()),
    ] {
        store.put(&name, &value, expected, AT).await.unwrap();
    }
    // The second key may be one that was revoked.
    let read = StoredKeys::new(store, Arc::new(SystemEntropy))
        .plan(USER, AT)
        .await;
    assert!(matches!(read, Err(CustodyError::Damaged(USER))));
}

#[tokio::test]
async fn keys_are_rotated_for_ever() {
    let keys = operations(&Arc::new(MemoryStore::new()));
    let caller = Caller::operator();
    for hour in 0..1_000 {
        let at = AT.after(Duration::from_secs(hour * 3_600));
        let plan = keys.rotate(USER, &caller, at).await.unwrap();
        assert!(plan.keys().len() <= 3, "{plan:?}");
        let waiting = keys.unrecorded(USER, at).await.unwrap();
        assert_eq!(waiting.len(), 1);
        keys.recorded(USER, &waiting, at).await.unwrap();
    }
}

/// However many are revoked while nothing records it: each is, and each counts.
#[tokio::test]
async fn revoking_is_never_refused() {
    let keys = operations(&Arc::new(MemoryStore::new()));
    let caller = Caller::operator();
    let mut at = AT;
    for _ in 0..1_000 {
        at = at.after(Duration::from_secs(1));
        let signs = keys.plan(USER, at).await.unwrap().signer(at);
        let plan = keys.revoke(USER, signs, &caller, at).await.unwrap();
        assert!(plan.keys().len() <= 64);
        assert!(plan.key(signs).unwrap().revoked_at.is_some());
        assert!(plan.signer(at) > signs);
    }
    let refused = keys.rotate(USER, &caller, at).await;
    assert!(matches!(
        refused,
        Err(KeyOperationError::Plan(PlanError::Full))
    ));
    at = at.after(KEY_TERM).after(Duration::from_secs(61));
    let refused = keys.rotate(USER, &caller, at).await;
    assert!(matches!(refused, Err(KeyOperationError::Unrecorded)));
    let waiting = keys.unrecorded(USER, at).await.unwrap();
    let of = |also| match also {
        Some(MetaValue::Count { value }) => value + 1,
        _ => 1,
    };
    let events = waiting.iter().map(|event| event.event().unwrap());
    let counts = events.map(|event| of(event.metadata.get("also").cloned()));
    assert_eq!(counts.sum::<i64>(), 1_000);
    keys.recorded(USER, &waiting, at).await.unwrap();
    keys.rotate(USER, &caller, at).await.unwrap();
}

#[tokio::test]
async fn an_event_of_a_newer_version_hides_no_plan() {
    let store = Arc::new(MemoryStore::new());
    let keys = operations(&store);
    let caller = Caller::operator();
    let plan = keys.rotate(USER, &caller, AT).await.unwrap();
    let name: SecretName = "keys/user-token-plan".parse().unwrap();
    let reference = SecretRef::Local(LocalRef::new(name.clone(), None));
    let kept = store.read(&reference).await.unwrap().unwrap();
    let text = String::from_utf8(kept.value.expose_secret().to_vec()).unwrap();
    let newer = text.replace("token_key.rotated", "token_key.danced");
    assert_ne!(newer, text);
    let value = SecretValue::new(newer.into_bytes()).unwrap();
    let expected = Expected::Version(kept.version.unwrap().number().unwrap());
    store.put(&name, &value, expected, AT).await.unwrap();
    assert_eq!(keys.plan(USER, AT).await.unwrap(), plan);
    // It waits for a version that knows it, also through a change.
    keys.revoke(USER, plan.signer(AT), &caller, AT)
        .await
        .unwrap();
    let waiting = keys.unrecorded(USER, AT).await.unwrap();
    let known: Vec<_> = waiting.iter().map(|event| event.event().is_ok()).collect();
    assert_eq!(known, [false, true]);
}
