//! What becomes of deleted secrets of our own, and of those that others delete.

use std::time::Duration;

use cyprob_core::domain::Timestamp;
use cyprob_secrets::adapters::vault::VaultStore;
use cyprob_secrets::domain::{SecretName, SecretValue, SecretVersion};
use cyprob_secrets::ports::{
    Expected, PutOutcome, Refusal, SecretError, SecretProvider as _, SecretStore as _,
};
use cyprob_secrets::testkit::fault_proxy::Fault;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::stand::Stand;

fn name() -> SecretName {
    "a".parse().unwrap()
}

fn version(number: u64) -> SecretVersion {
    SecretVersion::new(number).unwrap()
}

async fn put(store: &VaultStore, expected: Expected) -> PutOutcome {
    let value = SecretValue::new(b"x".to_vec()).unwrap();
    let name = name();
    let put = store.put(&name, &value, expected, Timestamp::UNIX_EPOCH);
    put.await.unwrap()
}

/// Stores two versions.
async fn two(store: &VaultStore) {
    let first = put(store, Expected::Absent).await;
    assert_eq!(first, PutOutcome::Stored(version(1)));
    let second = put(store, Expected::Version(version(1))).await;
    assert_eq!(second, PutOutcome::Stored(version(2)));
}

async fn read(store: &VaultStore, reference: &str) -> Option<Vec<u8>> {
    let read = store.read(&reference.parse().unwrap()).await.unwrap();
    read.map(|secret| secret.value.expose_secret().to_vec())
}

/// Nothing of it is there, whichever way one looks.
async fn absent(store: &VaultStore) {
    assert_eq!(store.versions(&name()).await.unwrap(), []);
    assert_eq!(read(store, "local://a").await, None);
    assert!(store.names().await.unwrap().is_empty());
    assert!(!store.delete(&name()).await.unwrap());
}

#[tokio::test]
async fn a_mount_whose_versions_end_by_themselves_keeps_them_until_then() {
    let stand = Stand::new();
    let (_proxy, store) = stand.store().await;
    let config = format!("{}/config", stand.name);
    let ends = |after: &str| json!({ "delete_version_after": after });
    stand.admin.make("POST", &config, ends("1h"));
    two(&store).await;
    assert_eq!(store.names().await.unwrap(), [name()]);
    let versions = store.versions(&name()).await.unwrap();
    assert_eq!(versions, [version(1), version(2)]);
    assert!(store.delete(&name()).await.unwrap());
    absent(&store).await;
    stand.admin.make("POST", &config, ends("1s"));
    let PutOutcome::Stored(third) = put(&store, Expected::Absent).await else {
        panic!("something was left");
    };
    assert!(third > version(2));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    absent(&store).await;
    let fourth = put(&store, Expected::Absent).await;
    assert!(matches!(fourth, PutOutcome::Stored(fourth) if fourth > third));
}

#[tokio::test]
async fn a_newest_version_that_an_operator_destroyed_leaves_no_secret() {
    let stand = Stand::new();
    let (_proxy, store) = stand.store().await;
    two(&store).await;
    let destroy = format!("{}/destroy/own/a", stand.name);
    stand.admin.make("POST", &destroy, json!({"versions": [2]}));
    assert_eq!(store.versions(&name()).await.unwrap(), []);
    assert_eq!(read(&store, "local://a").await, None);
    let third = put(&store, Expected::Absent).await;
    assert_eq!(third, PutOutcome::Stored(version(3)));
    stand.admin.make("POST", &destroy, json!({"versions": [3]}));
    // What is left of it goes too.
    assert!(store.delete(&name()).await.unwrap());
    assert_eq!(read(&store, "local://a?version=1").await, None);
    absent(&store).await;
}

#[tokio::test]
async fn nobody_undoes_a_deletion() {
    let stand = Stand::new();
    let (_proxy, store) = stand.store().await;
    two(&store).await;
    let (deleted, _) = stand
        .admin
        .ask("DELETE", &format!("{}/data/own/a", stand.name), None);
    assert_eq!(deleted, 204);
    assert!(store.delete(&name()).await.unwrap(), "the first version");
    let undelete = format!("{}/undelete/own/a", stand.name);
    stand
        .admin
        .ask("POST", &undelete, Some(json!({"versions": [1, 2]})));
    for reference in ["local://a", "local://a?version=1", "local://a?version=2"] {
        assert_eq!(read(&store, reference).await, None, "{reference}");
    }
    absent(&store).await;
}

#[tokio::test]
async fn a_deletion_that_is_cut_off_is_finished_by_who_comes_next() {
    let stand = Stand::new();
    let (proxy, store) = stand.store().await;
    for next in 0..3 {
        let seen = store.versions(&name()).await.unwrap();
        assert_eq!(seen, []);
        let PutOutcome::Stored(kept) = put(&store, Expected::Absent).await else {
            panic!("something was left");
        };
        proxy.inject_on(&format!("/v1/{}/destroy/", stand.name), Fault::Reset);
        let cut = store.delete(&name()).await;
        assert!(matches!(cut, Err(SecretError::Unavailable { .. })));
        // There is no secret, though its versions are.
        assert_eq!(read(&store, "local://a").await, None);
        assert!(store.names().await.unwrap().is_empty());
        proxy.heal();
        let pinned = format!("local://a?version={kept}");
        assert!(read(&store, &pinned).await.is_some());
        match next {
            0 => assert_eq!(store.versions(&name()).await.unwrap(), []),
            1 => assert!(!store.delete(&name()).await.unwrap()),
            _ => {
                let number = match put(&store, Expected::Absent).await {
                    PutOutcome::Stored(number) => number.get(),
                    other => panic!("{other:?}"),
                };
                assert_eq!(number, kept.get() + 2);
            }
        }
        assert_eq!(read(&store, &pinned).await, None);
    }
}

#[tokio::test]
async fn a_mount_that_is_not_there_is_no_empty_store() {
    let stand = Stand::new();
    let (_proxy, store) = stand.store().await;
    two(&store).await;
    let (gone, _) = stand
        .admin
        .ask("DELETE", &format!("sys/mounts/{}", stand.name), None);
    assert_eq!(gone, 204);
    let refusal = |error| match error {
        SecretError::Refused { refusal, .. } => refusal,
        other => panic!("{other:?}"),
    };
    let value = SecretValue::new(b"x".to_vec()).unwrap();
    let name = name();
    let put = store.put(&name, &value, Expected::Absent, Timestamp::UNIX_EPOCH);
    let refusals = [
        refusal(put.await.unwrap_err()),
        refusal(store.read(&"local://a".parse().unwrap()).await.unwrap_err()),
        refusal(store.versions(&name).await.unwrap_err()),
        refusal(store.names().await.unwrap_err()),
        refusal(store.delete(&name).await.unwrap_err()),
    ];
    assert_eq!(refusals, [Refusal::NoPlace; 5]);
}

#[tokio::test]
async fn every_name_is_listed_from_whatever_folder() {
    let stand = Stand::new();
    let (_proxy, store) = stand.store().await;
    let value = SecretValue::new(b"x".to_vec()).unwrap();
    let mut names = Vec::new();
    for n in 0..60 {
        let text = format!("{}/{}/n{n}", n % 7, n % 3);
        let name: SecretName = text.parse().unwrap();
        let put = store.put(&name, &value, Expected::Absent, Timestamp::UNIX_EPOCH);
        assert_eq!(put.await.unwrap(), PutOutcome::Stored(version(1)));
        match n % 4 {
            0 => assert!(store.delete(&name).await.unwrap()),
            _ => names.push(name),
        }
    }
    names.sort_unstable();
    assert_eq!(store.names().await.unwrap(), names);
    let below: SecretName = "3".parse().unwrap();
    let listed = store.list(&below).await.unwrap();
    let listed: Vec<_> = listed.into_iter().map(|listed| listed.name).collect();
    names.retain(|name| name.as_str().starts_with("3/"));
    assert_eq!(listed, names);
}
