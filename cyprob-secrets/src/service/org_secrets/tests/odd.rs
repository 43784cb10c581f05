//! Changes in whose middle something happens in the store itself.

use super::staged::{Next, Staged};
use super::*;

#[tokio::test]
async fn a_deletion_that_was_cut_off_in_the_store_is_finished_with_its_event() {
    let (stand, odd) = (Stand::new(), Staged::default());
    let secrets = stand.process_over(Arc::new(odd.clone()));
    let (acme, a) = (ctx(ACME), name("a"));
    secrets.put(&acme, &a, &value("x"), None).await.unwrap();
    odd.then(Next::CutOff);
    let cut = secrets.delete(&acme, &a).await;
    assert!(matches!(cut, Err(OrgSecretError::Secrets(_))), "{cut:?}");
    let first: SecretRef = format!("local://orgs/{ACME}/a?version=1").parse().unwrap();
    assert!(odd.read(&first).await.unwrap().is_some());
    assert_eq!(secrets.settle().await.unwrap(), 1);
    assert!(odd.read(&first).await.unwrap().is_none());
    let events = stand.events().await;
    let told: Vec<_> = events.iter().map(|event| event.action).collect();
    assert_eq!(told, [Action::SecretStored, Action::SecretDeleted]);
    assert_eq!(secrets.settle().await.unwrap(), 0);
}

#[tokio::test]
async fn a_change_that_was_refused_is_no_outage_though_its_note_stays() {
    let (stand, odd) = (Stand::new(), Staged::default());
    let secrets = stand.process_over(Arc::new(odd.clone()));
    let (acme, a) = (ctx(ACME), name("a"));
    secrets.put(&acme, &a, &value("x"), None).await.unwrap();
    odd.then(Next::Overtaken);
    let refused = secrets.put(&acme, &a, &value("y"), None).await;
    match refused {
        Err(OrgSecretError::Conflict(newest)) => assert_eq!(newest, Some(version(2))),
        other => panic!("{other:?}"),
    }
    assert_eq!(odd.next(), Next::NotesStay, "the note was not taken away");
    odd.then(Next::Nothing);
}
