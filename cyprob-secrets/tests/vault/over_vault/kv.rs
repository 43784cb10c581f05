//! Reading from engines with and without versions.

use serde_json::json;

use crate::stand::{Stand, said};
use cyprob_core::domain::Timestamp;
use cyprob_secrets::ports::SecretProvider as _;

#[tokio::test]
async fn a_field_is_read_with_its_version_and_time() {
    let stand = Stand::new();
    let kv = stand.kv(&stand.connect(stand.given()).await.unwrap());
    assert_eq!(stand.said(&kv, "app/db#password").await, "nothing");
    stand.put("app/db", json!({"password": "one", "user": "u"}));
    stand.put("app/db", json!({"password": "two\n", "user": "u"}));
    for (below, what) in [
        ("app/db#password", "two\n v2"),
        ("app/db#user", "u v2"),
        ("app/db#password?version=1", "one v1"),
        ("app/db#password?version=2", "two\n v2"),
        ("app/db#password?version=3", "nothing"),
        ("app/db#pass", "nothing"),
        ("app#password", "nothing"),
        ("app/db/password#x", "nothing"),
    ] {
        assert_eq!(stand.said(&kv, below).await, what, "{below}");
    }
    let secret = stand.read(&kv, "app/db#user").await.unwrap().unwrap();
    let age = stand.clock.now().since(secret.stored_at.unwrap());
    assert!(age.as_secs() < 60 && secret.stored_at.unwrap() > Timestamp::UNIX_EPOCH);
}

#[tokio::test]
async fn what_is_deleted_or_destroyed_is_nothing() {
    let stand = Stand::new();
    let kv = stand.kv(&stand.connect(stand.given()).await.unwrap());
    let name = &stand.name;
    for value in ["one", "two", "three"] {
        stand.put("a", json!({ "x": value }));
    }
    stand.admin.ask("DELETE", &format!("{name}/data/a"), None);
    assert_eq!(stand.said(&kv, "a#x").await, "nothing");
    assert_eq!(stand.said(&kv, "a#x?version=3").await, "nothing");
    assert_eq!(stand.said(&kv, "a#x?version=2").await, "two v2");
    let versions = json!({"versions": [2]});
    stand
        .admin
        .make("POST", &format!("{name}/destroy/a"), versions);
    assert_eq!(stand.said(&kv, "a#x?version=2").await, "nothing");
    let versions = json!({"versions": [3]});
    stand
        .admin
        .make("POST", &format!("{name}/undelete/a"), versions);
    assert_eq!(stand.said(&kv, "a#x").await, "three v3");
    stand
        .admin
        .ask("DELETE", &format!("{name}/metadata/a"), None);
    assert_eq!(stand.said(&kv, "a#x?version=1").await, "nothing");
}

#[tokio::test]
async fn an_engine_without_versions_refuses_one() {
    let stand = Stand::new();
    let kv = stand.kv(&stand.connect(stand.given()).await.unwrap());
    let path = format!("{}-v1/app/db", stand.name);
    stand
        .admin
        .make("POST", &path, json!({"password": "p", "port": 5432}));
    for (below, what) in [
        ("app/db#password", "p"),
        ("app/db#password?version=1", "Unversioned"),
        ("app/db#port", "NotText"),
        ("app/db#none", "nothing"),
        ("app#password", "nothing"),
    ] {
        let read = kv.read(&stand.plain_reference(below)).await;
        assert_eq!(said(&read), what, "{below}");
    }
}

#[tokio::test]
async fn what_is_no_text_is_refused_and_what_is_not_listed_too() {
    let stand = Stand::new();
    let kv = stand.kv(&stand.connect(stand.given()).await.unwrap());
    let long = "x".repeat(65_537);
    stand.put(
        "a",
        json!({"n": 1, "b": true, "l": ["x"], "o": {"x": "y"}, "nil": null, "empty": "", "long": long}),
    );
    for field in ["n", "b", "l", "o", "nil"] {
        assert_eq!(
            stand.said(&kv, &format!("a#{field}")).await,
            "NotText",
            "{field}"
        );
    }
    assert_eq!(stand.said(&kv, "a#empty").await, "Empty");
    assert_eq!(stand.said(&kv, "a#long").await, "TooLarge { max: 65536 }");
    let foreign = "vault://sys/data/a#x".parse().unwrap();
    assert_eq!(said(&kv.read(&foreign).await), "NotAllowed");
    let other = "local://a".parse().unwrap();
    assert_eq!(said(&kv.read(&other).await), "Unserved { scheme: Local }");
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_denied_at_once() {
    let stand = Stand::new();
    let kv = stand.kv(&stand.connect(stand.given()).await.unwrap());
    stand.put("a", json!({"x": "y"}));
    assert_eq!(stand.said(&kv, "a#x").await, "y v1");
    stand.policy("path \"nothing\" { capabilities = [\"read\"] }");
    assert_eq!(stand.said(&kv, "a#x").await, "Denied");
    stand.policy(&stand.may_read());
    assert_eq!(stand.said(&kv, "a#x").await, "y v1");
}
