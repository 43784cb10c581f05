//! Secrets of every shape.

use secrecy::ExposeSecret as _;

use super::super::*;
use super::stand::Moto;
use crate::domain::{SecretValue, SourceVersion};
use crate::ports::Refusal;
use crate::testkit::provider::ProviderStand as _;

crate::secret_provider_conformance!(|| async { Moto::new().await }; versions, remote);

fn refusal(read: Result<Option<Secret>, SecretError>) -> Refusal {
    match read {
        Err(SecretError::Refused { refusal, .. }) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn holds(read: Result<Option<Secret>, SecretError>, value: &str) -> bool {
    let secret = read.unwrap().unwrap();
    secret.value.expose_secret() == value.as_bytes()
}

#[tokio::test]
async fn a_stage_is_a_label_on_a_version() {
    let stand = Moto::new().await;
    stand.put("a", b"one").await;
    assert!(
        stand
            .read("a", "?stage=AWSPREVIOUS")
            .await
            .unwrap()
            .is_none()
    );
    stand.put("a", b"two").await;
    stand.put("a", b"tri").await;
    assert!(holds(stand.read("a", "").await, "tri"));
    assert!(holds(stand.read("a", "?stage=AWSCURRENT").await, "tri"));
    assert!(holds(stand.read("a", "?stage=AWSPREVIOUS").await, "two"));
    assert!(stand.read("a", "?stage=OTHER").await.unwrap().is_none());

    let put = stand.direct.put_secret_value().secret_id(stand.name("a"));
    let put = put.secret_string("four").version_stages("AWSPENDING");
    let pending = put.send().await.unwrap().version_id.unwrap();
    assert!(holds(stand.read("a", "").await, "tri"));
    let secret = stand.read("a", "?stage=AWSPENDING").await.unwrap().unwrap();
    assert_eq!(secret.version.unwrap().to_string(), pending);
}

#[tokio::test]
async fn a_key_is_read_as_a_string() {
    let stand = Moto::new().await;
    let object = r#"{"user":"ada","password":"p\u00e4ss\n","port":5432,"tls":true,"none":""}"#;
    stand.put("a", object.as_bytes()).await;
    assert!(holds(stand.read("a", "#user").await, "ada"));
    assert!(holds(stand.read("a", "#password").await, "p\u{e4}ss\n"));
    assert!(holds(stand.read("a", "").await, object));
    assert!(stand.read("a", "#other").await.unwrap().is_none());
    assert_eq!(refusal(stand.read("a", "#port").await), Refusal::NotText);
    assert_eq!(refusal(stand.read("a", "#tls").await), Refusal::NotText);
    assert_eq!(refusal(stand.read("a", "#none").await), Refusal::Empty);
    stand.put("a", br#"{"user":"ada","user":"eve"}"#).await;
    assert_eq!(
        refusal(stand.read("a", "#user").await),
        Refusal::RepeatedKey
    );
    stand.put("a", b"ada").await;
    assert_eq!(
        refusal(stand.read("a", "#user").await),
        Refusal::NotAnObject
    );
    // Of a version by its name, too.
    let first = stand.direct.list_secret_version_ids();
    let first = first.secret_id(stand.name("a")).include_deprecated(true);
    let first = first.send().await.unwrap();
    assert!(first.versions().len() >= 2);
    let previous = stand
        .read("a", "?stage=AWSPREVIOUS")
        .await
        .unwrap()
        .unwrap();
    let id = previous.version.unwrap();
    let pinned = stand.read("a", &format!("#user?version={id}")).await;
    assert_eq!(refusal(pinned), Refusal::RepeatedKey);
}

#[tokio::test]
async fn a_binary_secret_has_no_keys() {
    let stand = Moto::new().await;
    stand.put("a", &[0, 0xff, 0xfe]).await;
    let secret = stand.read("a", "").await.unwrap().unwrap();
    assert_eq!(secret.value.expose_secret(), [0, 0xff, 0xfe]);
    assert_eq!(refusal(stand.read("a", "#a").await), Refusal::NotAnObject);
}

#[tokio::test]
async fn a_secret_longer_than_the_bound_is_refused() {
    let stand = Moto::new().await;
    // Every byte of it takes six on the wire.
    let longest = "\u{1}".repeat(SecretValue::MAX_LEN);
    stand.put("a", longest.as_bytes()).await;
    assert!(holds(stand.read("a", "").await, &longest));
    stand
        .put("a", "x".repeat(SecretValue::MAX_LEN + 1).as_bytes())
        .await;
    let max = SecretValue::MAX_LEN;
    assert_eq!(
        refusal(stand.read("a", "").await),
        Refusal::TooLarge { max }
    );
}

#[tokio::test]
async fn a_secret_marked_for_deletion_is_none_and_can_be_restored() {
    let stand = Moto::new().await;
    stand.put("a", b"one").await;
    let marked = stand.direct.delete_secret().secret_id(stand.name("a"));
    marked.recovery_window_in_days(7).send().await.unwrap();
    assert!(stand.read("a", "").await.unwrap().is_none());
    let back = stand.direct.restore_secret().secret_id(stand.name("a"));
    back.send().await.unwrap();
    assert!(holds(stand.read("a", "").await, "one"));
}

#[tokio::test]
async fn a_secret_says_its_version_and_when_it_was_stored() {
    let stand = Moto::new().await;
    stand.put("a", b"one").await;
    let secret = stand.read("a", "").await.unwrap().unwrap();
    let told = stand.direct.get_secret_value().secret_id(stand.name("a"));
    let told = told.send().await.unwrap();
    let id = SourceVersion::Id(told.version_id.unwrap().parse().unwrap());
    assert_eq!(secret.version, Some(id));
    let seconds = secret.stored_at.unwrap().as_seconds();
    assert_eq!(seconds, told.created_date.unwrap().secs());
}
