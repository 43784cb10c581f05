//! Secrets of organizations over HTTP: names and versions, and never a value.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test reports by panicking"
)]

mod apart;
mod hostile;
#[cfg(feature = "sqlite")]
mod restart;
mod site;

use std::num::NonZeroU64;

use cyprob::secrets::service::OrgSecretLimits;
use cyprob::secrets::testkit::faults::Fault;
use serde_json::{Value, json};
use site::Site;

#[tokio::test]
async fn a_secret_is_stored_rotated_and_deleted_and_only_the_host_reads_it() {
    let site = Site::new().await;
    let acme = &site.acme;
    let stored = site
        .put("db~password", acme, "one")
        .await
        .expect(200)
        .json();
    assert_eq!(stored["name"], "db/password");
    assert_eq!(stored["version"], 1);
    assert!(stored["stored_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(stored.as_object().unwrap().len(), 3);
    assert_eq!(site.value(acme, "db/password").await.unwrap(), b"one");
    let bytes = json!({ "value": "AP+A", "encoding": "base64" });
    let stored = site.secret("PUT", "db~password", acme, &bytes).await;
    assert_eq!(stored.expect(200).json()["version"], 2);
    // What the host had in memory is forgotten at once.
    assert_eq!(
        site.value(acme, "db/password").await.unwrap(),
        [0, 0xff, 0x80]
    );
    let drawn = json!({ "length": 24, "alphabet": "hex" });
    let rotated = site
        .secret("POST", "db~password/rotate", acme, &drawn)
        .await;
    let rotated = rotated.expect(200);
    let value = site.value(acme, "db/password").await.unwrap();
    assert_eq!(value.len(), 24);
    let value = String::from_utf8(value).unwrap();
    assert!(value.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(!rotated.text.contains(&value));
    assert_eq!(rotated.json()["version"], 3);
    assert_eq!(site.list(acme).await, [("db/password".to_owned(), 3)]);
    let delete = async || {
        site.secret("DELETE", "db~password", acme, &Value::Null)
            .await
    };
    delete().await.expect(204);
    assert_eq!(delete().await.expect(404).code(), "not_found");
    assert!(site.list(acme).await.is_empty());
    assert!(site.value(acme, "db/password").await.is_none());
    let gone = site
        .secret("POST", "db~password/rotate", acme, &drawn)
        .await;
    gone.expect(404);
}

#[tokio::test]
async fn one_of_those_who_saw_the_same_version_stores() {
    let site = Site::new().await;
    let acme = &site.acme;
    let put = async |version: u64| {
        let body = json!({ "value": "x", "version": version });
        site.secret("PUT", "a", acme, &body).await
    };
    assert_eq!(put(1).await.expect(409).code(), "conflict");
    put(0).await.expect(200);
    put(0).await.expect(409);
    let together: Vec<_> = (0..16)
        .map(|_| {
            let api = site.api.clone();
            let (path, token) = (
                format!("/api/v1/orgs/{}/secrets/a", acme.org),
                acme.token.clone(),
            );
            tokio::spawn(async move {
                let body = json!({ "value": "x", "version": 1 });
                site::ask(&api, "PUT", &path, Some(&token), &body)
                    .await
                    .status
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for one in together {
        statuses.push(one.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
    assert_eq!(site.list(acme).await, [("a".to_owned(), 2)]);
    let stale = json!({ "version": 1 });
    let rotated = site.secret("POST", "a/rotate", acme, &stale).await;
    rotated.expect(409);
    let rotated = site.secret("POST", "a/rotate", acme, &json!({})).await;
    assert_eq!(rotated.expect(200).json()["version"], 3);
}

#[tokio::test]
async fn an_outage_of_the_store_is_said_and_passes() {
    let site = Site::new().await;
    let acme = &site.acme;
    site.put("a", acme, "one").await.expect(200);
    site.store.faults.at(0, Fault::Outage);
    let list = format!("/api/v1/orgs/{}/secrets", acme.org);
    let answers = [
        site.ask("GET", &list, acme, &Value::Null).await,
        site.put("a", acme, "two").await,
        site.secret("POST", "a/rotate", acme, &json!({})).await,
        site.secret("DELETE", "a", acme, &Value::Null).await,
    ];
    for answer in answers {
        assert!(answer.headers.contains_key("retry-after"));
        assert_eq!(answer.expect(503).code(), "unavailable");
    }
    site.store.faults.none();
    assert_eq!(site.list(acme).await, [("a".to_owned(), 1)]);
    // An answer that did not come is no reason to store twice, and the event follows.
    site.store.faults.at(4, Fault::FailAfter);
    let body = json!({ "value": "two", "version": 1 });
    let lost = site.secret("PUT", "a", acme, &body).await;
    assert_eq!(lost.expect(503).code(), "unavailable");
    site.store.faults.none();
    let again = site.secret("PUT", "a", acme, &body).await.status;
    assert_eq!(again, 409);
    assert_eq!(site.list(acme).await, [("a".to_owned(), 2)]);
    assert_eq!(site.plane.secrets().unwrap().settle().await.unwrap(), 0);
}

#[tokio::test]
async fn an_organization_keeps_as_many_as_the_host_says() {
    let versions = NonZeroU64::new(2).unwrap();
    let limits = OrgSecretLimits {
        secrets: 2,
        names: 4,
        versions,
    };
    let site = Site::with(limits, true).await;
    let (acme, globex) = (&site.acme, &site.globex);
    for name in ["a", "b"] {
        site.put(name, acme, "x").await.expect(200);
    }
    assert_eq!(
        site.put("c", acme, "x").await.expect(409).code(),
        "conflict"
    );
    site.put("a", acme, "y").await.expect(200);
    site.put("c", globex, "x").await.expect(200);
    let page = format!("/api/v1/orgs/{}/secrets?limit=1", acme.org);
    let first = site.ask("GET", &page, acme, &Value::Null).await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 1);
    let next = format!("{page}&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = site.ask("GET", &next, acme, &Value::Null).await.json();
    assert_eq!(second["items"][0]["name"], "b");
    assert_eq!(second["next_cursor"], Value::Null);
}

#[tokio::test]
async fn without_a_store_there_are_none() {
    let site = Site::with(OrgSecretLimits::default(), false).await;
    assert!(site.plane.secrets().is_none());
    let acme = &site.acme;
    let list = format!("/api/v1/orgs/{}/secrets", acme.org);
    site.ask("GET", &list, acme, &Value::Null).await.expect(404);
    site.put("a", acme, "x").await.expect(404);
}

#[tokio::test]
async fn each_change_is_in_the_trail_of_its_organization() {
    let site = Site::new().await;
    let background = site.plane.start().await.unwrap();
    let acme = &site.acme;
    site.put("a", acme, "x").await.expect(200);
    site.secret("POST", "a/rotate", acme, &json!({}))
        .await
        .expect(200);
    site.secret("DELETE", "a", acme, &Value::Null)
        .await
        .expect(204);
    let path = format!("/api/v1/orgs/{}/audit?limit=100", acme.org);
    let items = site
        .ask("GET", &path, acme, &Value::Null)
        .await
        .expect(200)
        .json();
    let items = items["items"].as_array().unwrap().iter();
    let of_secrets: Vec<_> = items
        .filter(|item| item["resource"]["type"] == "secret")
        .map(|item| {
            assert_eq!(item["resource"]["id"], "a");
            assert_eq!(item["actor"]["kind"], "user");
            assert!(item["request_id"].is_string());
            (
                item["action"].as_str().unwrap(),
                item["metadata"]["version"].clone(),
            )
        })
        .collect();
    assert_eq!(
        of_secrets,
        [
            ("secret.deleted", json!(2)),
            ("secret.rotated", json!(2)),
            ("secret.stored", json!(1)),
        ]
    );
    background.stop().await.unwrap();
}
