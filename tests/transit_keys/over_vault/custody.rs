//! What is particular to keys in an engine: names, races, deletion, policies, and that none leaves.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;

use cyprob::authz::domain::RootKeyId;
use cyprob::authz::ports::{CustodyError, KeyCustody, SignError};
use cyprob::authz::service::{KeyOperations, KeyRings, KeyRingsError};
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::secrets::adapters::vault::{TransitError, TransitRefusal};
use cyprob::secrets::domain::SecretName;
use cyprob::secrets::ports::{SecretProvider as _, SecretStore as _};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::task::JoinSet;

use crate::engine::{AT, Engine, FIRST, USER, copy, first_signer};

/// Why the engine said no, somewhere among the causes.
pub(super) fn refusal(error: &(dyn Error + 'static)) -> Option<TransitRefusal> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(TransitError::Refused(refusal)) = error.downcast_ref() {
            return Some(*refusal);
        }
        next = error.source();
    }
    None
}

fn of_signing<T: std::fmt::Debug>(signed: Result<T, SignError>) -> Option<TransitRefusal> {
    refusal(&signed.unwrap_err())
}

fn of_custody<T: std::fmt::Debug>(answer: Result<T, CustodyError>) -> Option<TransitRefusal> {
    refusal(&answer.unwrap_err())
}

#[tokio::test]
async fn processes_that_begin_a_ring_at_once_have_one_key() {
    let engine = Engine::new();
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let keys = engine.custody().await;
        tasks.spawn(async move { keys.plan(USER, AT).await.unwrap().plan });
    }
    let mut plans = tasks.join_all().await;
    assert_eq!(plans[0].signing(), FIRST);
    plans.dedup();
    assert_eq!(plans.len(), 1);
    assert_eq!(engine.keys().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_make_keys_at_once_share_no_id_and_no_key() {
    let engine = Engine::new();
    let mut tasks = JoinSet::new();
    for _ in 0..2 {
        let keys = Arc::new(engine.custody().await);
        keys.plan(USER, AT).await.unwrap();
        for _ in 0..3 {
            let keys = Arc::clone(&keys);
            tasks.spawn(async move { keys.create(USER, AT).await.unwrap() });
        }
    }
    let made = tasks.join_all().await;
    let ids: BTreeSet<_> = made.iter().map(|key| key.id).collect();
    let publics: BTreeSet<_> = made.iter().map(|key| key.public).collect();
    assert_eq!((ids.len(), publics.len()), (6, 6));
    assert!(ids.iter().all(|id| *id > FIRST));
    assert_eq!(engine.keys().len(), 7);
    // Each is found by its id, by whoever asks.
    let other = engine.custody().await;
    for key in made {
        let signer = other.signer(USER, key.id).await.unwrap().unwrap();
        assert_eq!((signer.id(), signer.public()), (key.id, key.public));
    }
}

#[tokio::test]
async fn an_older_copy_of_the_store_gives_no_id_out_again() {
    let engine = Engine::new();
    let keys = engine.custody().await;
    keys.plan(USER, AT).await.unwrap();
    let kept = engine.home.path().join("copy");
    copy(&engine.secrets(), &kept);
    for id in 2..=4 {
        assert_eq!(keys.create(USER, AT).await.unwrap().id.get(), id);
    }
    // What became of them does not matter.
    let names = engine.keys();
    let second = names.iter().find(|name| name.ends_with("-2")).unwrap();
    let config = engine.path(&format!("keys/{second}/config"));
    let exportable = json!({"exportable": true});
    engine.stand.admin.make("POST", &config, exportable);
    std::fs::remove_dir_all(engine.secrets()).unwrap();
    copy(&kept, &engine.secrets());
    let restored = engine.custody().await;
    assert_eq!(restored.create(USER, AT).await.unwrap().id.get(), 5);
}

#[tokio::test]
async fn a_store_that_begins_anew_meets_no_key_of_before() {
    let engine = Engine::new();
    let first = first_signer(&engine.custody().await).await.public();
    std::fs::remove_dir_all(engine.secrets()).unwrap();
    let again = first_signer(&engine.custody().await).await.public();
    assert_ne!(first, again);
    assert_eq!(engine.keys().len(), 2);
}

#[tokio::test]
async fn a_plan_that_is_lost_is_damage_once_there_was_a_second_key() {
    let engine = Engine::new();
    let keys = engine.custody().await;
    keys.plan(USER, AT).await.unwrap();
    keys.create(USER, AT).await.unwrap();
    let plan = "keys/user-transit-plan".parse().unwrap();
    assert!(engine.store().delete(&plan).await.unwrap());
    let read = engine.custody().await.plan(USER, AT).await;
    assert!(matches!(read, Err(CustodyError::Damaged(USER))));
    let made = engine.custody().await.create(USER, AT).await;
    assert!(matches!(made, Err(CustodyError::Unavailable { .. })));
}

#[tokio::test]
async fn a_key_that_is_deleted_under_us_signs_no_more_and_is_told_of() {
    let engine = Engine::new();
    let keys = engine.custody().await;
    let signer = first_signer(&keys).await;
    signer.sign(b"a message").await.unwrap();
    let name = engine.keys().remove(0);
    let config = engine.path(&format!("keys/{name}/config"));
    let allowed = json!({"deletion_allowed": true});
    engine.stand.admin.make("POST", &config, allowed);
    let path = engine.path(&format!("keys/{name}"));
    engine.stand.admin.make("DELETE", &path, json!({}));
    let no_key = Some(TransitRefusal::NoKey);
    assert_eq!(of_signing(signer.sign(b"a message").await), no_key);
    assert_eq!(of_signing(signer.ready().await), no_key);
    assert!(keys.signer(USER, FIRST).await.unwrap().is_none());
    let operations = KeyOperations::new(Arc::new(keys), Arc::new(SystemEntropy));
    let loaded = KeyRings::load(operations, AT).await;
    assert!(matches!(loaded, Err(KeyRingsError::Missing(USER, FIRST))));
}

#[tokio::test]
async fn what_the_engine_rotates_itself_changes_nothing_here() {
    let engine = Engine::new();
    let keys = engine.custody().await;
    let signer = first_signer(&keys).await;
    let name = engine.keys().remove(0);
    let rotate = engine.path(&format!("keys/{name}/rotate"));
    engine.stand.admin.make("POST", &rotate, json!({}));
    signer.sign(b"a message").await.unwrap();
    let again = keys.signer(USER, FIRST).await.unwrap().unwrap();
    assert_eq!(again.public(), signer.public());
    // Until the version is taken away from all use.
    let config = engine.path(&format!("keys/{name}/config"));
    let without = json!({"min_decryption_version": 2, "min_encryption_version": 2});
    engine.stand.admin.make("POST", &config, without);
    assert!(signer.sign(b"a message").await.is_err());
    let no_key = Some(TransitRefusal::NoKey);
    assert_eq!(of_custody(keys.signer(USER, FIRST).await), no_key);
}

#[tokio::test]
async fn what_a_policy_takes_away_is_refused_and_comes_back_with_it() {
    let engine = Engine::new();
    let keys = engine.custody().await;
    let signer = first_signer(&keys).await;
    let denied = Some(TransitRefusal::Denied);
    engine.may(&["read", "update"], false);
    assert_eq!(of_signing(signer.ready().await), denied);
    assert_eq!(of_signing(signer.sign(b"a message").await), denied);
    // Plans are read, and keys made, without it.
    assert_eq!(keys.plan(USER, AT).await.unwrap().plan.keys().len(), 1);
    assert_eq!(keys.create(USER, AT).await.unwrap().id.get(), 2);
    engine.may(&["read"], true);
    signer.sign(b"a message").await.unwrap();
    assert_eq!(of_custody(keys.create(USER, AT).await), denied);
    engine.may(&["update"], true);
    assert_eq!(of_custody(keys.signer(USER, FIRST).await), denied);
    assert_eq!(of_custody(keys.create(USER, AT).await), denied);
    engine.may(&["read", "update"], true);
    // The ids of those that failed are not given out again.
    assert_eq!(keys.create(USER, AT).await.unwrap().id.get(), 5);
    for never in [3, 4].map(RootKeyId::new) {
        assert!(keys.signer(USER, never).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_dead_token_is_replaced_and_the_signature_given() {
    let engine = Engine::new();
    let vault = engine.stand.connect(engine.stand.given()).await.unwrap();
    let signer = first_signer(&engine.over(vault.clone())).await;
    vault.log_out().await.unwrap();
    signer.sign(b"a message").await.unwrap();
}

#[tokio::test]
async fn no_private_key_is_ever_readable() {
    let engine = Engine::new();
    let keys = engine.custody().await;
    keys.plan(USER, AT).await.unwrap();
    let name = engine.keys().remove(0);
    let admin = &engine.stand.admin;
    let paths = [
        format!("export/signing-key/{name}"),
        format!("export/signing-key/{name}/1"),
        format!("export/encryption-key/{name}"),
        format!("export/hmac-key/{name}"),
        format!("backup/{name}"),
    ]
    .map(|path| engine.path(&path));
    // Not by an administrator of everything,
    for path in &paths {
        let (status, answer) = admin.ask("GET", path, None);
        assert!(matches!(status, 400 | 500), "{path}: {status} {answer}");
        assert!(answer["data"].is_null() && answer["errors"].is_array());
    }
    // and by this deployment neither that nor the way to it.
    let login = json!({
        "role_id": engine.stand.role_id(), "secret_id": engine.stand.secret_id(),
    });
    let path = format!("auth/{}/login", engine.stand.name);
    let answer = admin.make("POST", &path, login);
    let token = answer["auth"]["client_token"].as_str().unwrap();
    for path in &paths {
        let (status, _) = admin.ask_as(token, "GET", path, None, None);
        assert_eq!(status, 403, "{path}");
    }
    for (path, body) in [
        ("config", json!({"exportable": true})),
        ("config", json!({"deletion_allowed": true})),
        ("rotate", json!({})),
        ("trim", json!({"min_available_version": 1})),
    ] {
        let path = engine.path(&format!("keys/{name}/{path}"));
        let (status, _) = admin.ask_as(token, "POST", &path, Some(body), None);
        assert_eq!(status, 403, "{path}");
    }
    let path = engine.path(&format!("keys/{name}"));
    let (status, _) = admin.ask_as(token, "DELETE", &path, None, None);
    assert_eq!(status, 403);
    // Nor is it in the store: what is there is the plan, and what the names begin with.
    let store = engine.store();
    let names = store.names().await.unwrap();
    let names: Vec<_> = names.iter().map(SecretName::as_str).collect();
    assert_eq!(names, ["keys/user-transit", "keys/user-transit-plan"]);
    let ids = "local://keys/user-transit".parse().unwrap();
    let kept = store.read(&ids).await.unwrap().unwrap();
    let stem = name.strip_suffix("-1").unwrap();
    assert_eq!(kept.value.expose_secret(), stem.as_bytes());
    // One that was made exportable is used for nothing from the next look on.
    let config = engine.path(&format!("keys/{name}/config"));
    admin.make("POST", &config, json!({"exportable": true}));
    let leaves = Some(TransitRefusal::Leaves);
    assert_eq!(of_custody(keys.signer(USER, FIRST).await), leaves);
}
