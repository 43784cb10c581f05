//! Changing a password.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::Revocation;
use cyprob_core::domain::audit::{Action, Outcome};
use cyprob_core::service::{PasswordError, RefreshError};

use crate::house::{House, OTHER, PASSWORD, stranger};

async fn is_over(house: &House, token: &secrecy::SecretString) -> bool {
    let answer = house.identity.refresh(token, None, &stranger()).await;
    matches!(answer, Err(RefreshError::InvalidGrant))
}

pub(crate) async fn a_change_ends_every_other_session(house: House) {
    house.found().await;
    let kept = house.sign_in("ada@example.com").await;
    let other = house.sign_in("ada@example.com").await;
    house.events().await;
    let by = house.user(&kept);
    let changed = house
        .identity
        .change_password(&by, PASSWORD.into(), OTHER.into(), true);
    let goes_on = changed.await.unwrap().unwrap();
    assert_eq!(goes_on.session.id, kept.session.id);
    let actions: Vec<_> = house.events().await.iter().map(|it| it.action).collect();
    assert_eq!(actions, [Action::PasswordChanged]);
    let ended = house.feed.published();
    let epoch = Revocation::User(kept.user.id, goes_on.session.credential_epoch);
    assert!(ended.iter().any(|it| it.what == epoch), "{ended:?}");
    // The kept session's own token of before is dead too: it is re-keyed.
    for token in [&other.refresh_token, &kept.refresh_token] {
        assert!(is_over(&house, token).await);
    }
    assert!(!is_over(&house, &goes_on.refresh_token).await);
    house
        .try_sign_in("ada@example.com", PASSWORD)
        .await
        .unwrap_err();
    house.clock.advance(Duration::from_secs(1));
    house.try_sign_in("ada@example.com", OTHER).await.unwrap();
}

pub(crate) async fn a_change_without_keeping_ends_all_sessions(house: House) {
    house.found().await;
    let mine = house.sign_in("ada@example.com").await;
    let by = house.user(&mine);
    let changed = house
        .identity
        .change_password(&by, PASSWORD.into(), OTHER.into(), false);
    assert!(changed.await.unwrap().is_none());
    assert!(is_over(&house, &mine.refresh_token).await);
}

pub(crate) async fn a_wrong_current_password_is_recorded_and_changes_nothing(house: House) {
    house.found().await;
    let mine = house.sign_in("ada@example.com").await;
    house.events().await;
    let by = house.user(&mine);
    let refused = house
        .identity
        .change_password(&by, OTHER.into(), OTHER.into(), true)
        .await;
    assert!(matches!(refused, Err(PasswordError::InvalidCredentials)));
    let events = house.events().await;
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(event.action, Action::PasswordChangeRefused);
    assert_eq!(event.outcome, Outcome::Denied);
    assert!(!is_over(&house, &mine.refresh_token).await);
    house.sign_in("ada@example.com").await;
}

pub(crate) async fn a_weak_new_password_costs_no_hash(house: House) {
    house.found().await;
    let mine = house.sign_in("ada@example.com").await;
    let by = house.user(&mine);
    let spent = house.hasher.spent();
    let long = "x".repeat(1_025);
    for weak in ["", "fourteen chars", "aaaaaaaaaaaaaaaaaaaa", long.as_str()] {
        let refused = house
            .identity
            .change_password(&by, PASSWORD.into(), weak.into(), true)
            .await;
        assert!(matches!(refused, Err(PasswordError::Weak(_))), "{weak}");
    }
    assert_eq!(house.hasher.spent(), spent);
}

pub(crate) async fn of_two_changes_at_once_one_wins(house: House) {
    house.found().await;
    let mine = house.sign_in("ada@example.com").await;
    house.hasher.hold().await;
    let changes = ["the first new pass phrase", "the second new pass phrase"].map(|new| {
        let (identity, by) = (Arc::clone(&house.identity), house.user(&mine));
        tokio::spawn(async move {
            let changed = identity.change_password(&by, PASSWORD.into(), new.into(), true);
            changed.await.map(|_| new)
        })
    });
    house.hasher.arrived(2).await;
    house.hasher.release();
    let mut won = Vec::new();
    for change in changes {
        match change.await.unwrap() {
            Ok(new) => won.push(new),
            Err(PasswordError::Raced) => {}
            Err(other) => panic!("{other}"),
        }
    }
    let [new] = won[..] else {
        panic!("{won:?}");
    };
    house.try_sign_in("ada@example.com", new).await.unwrap();
}
