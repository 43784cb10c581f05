//! What waits to be sent.

use std::time::Duration;

use cyprob_core::testkit::RecordingNotifier;

use crate::house::{House, OTHER, PASSWORD, stranger};

const ADA: &str = "ada@example.com";

async fn changed(house: &House) {
    house.found().await;
    let mine = house.sign_in(ADA).await;
    let by = house.user(&mine);
    let changed = house
        .identity
        .change_password(&by, PASSWORD.into(), OTHER.into(), false);
    changed.await.unwrap();
}

pub(crate) async fn a_notice_outlives_a_server_that_is_away(house: House) {
    changed(&house).await;
    let notifier = RecordingNotifier::default();
    notifier.set_away(true);
    let (identity, clock) = (&house.identity, &house.clock);
    for _ in 0..20 {
        assert_eq!(identity.send_notices(&notifier).await.unwrap(), 0);
        clock.advance(Duration::from_secs(30));
    }
    notifier.set_away(false);
    // A restart changes nothing: what waits is in the store.
    let after = house.with_keys(crate::house::keys(&[1]));
    clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(after.send_notices(&notifier).await.unwrap(), 1);
    assert_eq!(identity.send_notices(&notifier).await.unwrap(), 0);
    let sent = notifier.take();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].message.kind(), "password_changed");
    assert_eq!(sent[0].to.as_str(), ADA);
}

pub(crate) async fn a_letter_is_tried_again_until_it_expires(house: House) {
    house.found().await;
    let notifier = RecordingNotifier::default();
    notifier.set_away(true);
    let (identity, clock) = (&house.identity, &house.clock);
    identity
        .request_reset(ADA.parse().unwrap(), &stranger())
        .unwrap();
    identity.answer_asks().await.unwrap();
    assert_eq!(identity.send_letters(&notifier).await, 0);
    notifier.set_away(false);
    assert_eq!(identity.send_letters(&notifier).await, 0, "not due yet");
    clock.advance(Duration::from_secs(2));
    assert_eq!(identity.send_letters(&notifier).await, 1);

    clock.advance(Duration::from_secs(60));
    identity
        .request_reset(ADA.parse().unwrap(), &stranger())
        .unwrap();
    identity.answer_asks().await.unwrap();
    clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(identity.send_letters(&notifier).await, 0, "of no use");
}

/// Strangers from everywhere fill half of the places: who is signed in finds one beside them.
pub(crate) async fn what_waits_is_bounded(house: House) {
    house.found().await;
    let mine = house.user(&house.sign_in(ADA).await);
    for n in 0..3_000_u16 {
        let email = format!("nobody{n}@example.com");
        let [high, low] = n.to_be_bytes();
        let mut caller = stranger();
        caller.origin.ip_address = Some([10, high, low, 1].into());
        house
            .identity
            .request_reset(email.parse().unwrap(), &caller)
            .unwrap();
    }
    let own = "ada@example.net".parse().unwrap();
    let asked = house.identity.request_email(&mine, own, PASSWORD.into());
    asked.await.unwrap();
    assert_eq!(house.identity.answer_asks().await.unwrap(), 512 + 1);
    let notifier = RecordingNotifier::default();
    house.identity.send_letters(&notifier).await;
    let sent = notifier.take();
    let kinds: Vec<_> = sent.iter().map(|letter| letter.message.kind()).collect();
    assert_eq!(kinds, ["email_confirmation"]);
}
