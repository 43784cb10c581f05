//! Changing a password.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::{Action, Outcome};
use cyprob_core::domain::{BreachDigest, Revocation, RoleName, WeakPassword};
use cyprob_core::service::{
    AcceptError, BootstrapError, NewAccount, PasswordError, RefreshError, SignInError,
};
use cyprob_core::testkit::FixedBreaches;

use crate::house::{House, OTHER, PASSWORD, parsed, stranger};

async fn is_over(house: &House, token: &secrecy::SecretString) -> bool {
    let answer = house.identity.refresh(token, None, &stranger()).await;
    matches!(answer, Err(RefreshError::InvalidGrant))
}

pub(crate) async fn asvs_6_2_2_a_change_ends_every_other_session(house: House) {
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

pub(crate) async fn asvs_6_2_3_a_change_asks_for_the_current_password(house: House) {
    house.found().await;
    let mine = house.sign_in("ada@example.com").await;
    let by = house.user(&mine);
    let change = |current: &str| {
        let (current, by) = (current.to_owned(), by.clone());
        let identity = Arc::clone(&house.identity);
        async move {
            let new = "yet another pass phrase of mine";
            let changed = identity.change_password(&by, current.into(), new.into(), true);
            changed.await.map(|_| ())
        }
    };
    for wrong in [
        "",
        OTHER,
        "A pass phrase for services",
        "a pass phrase for services ",
    ] {
        house.clock.advance(Duration::from_secs(10));
        let refused = change(wrong).await;
        assert!(
            matches!(refused, Err(PasswordError::InvalidCredentials)),
            "{wrong}"
        );
    }
    house.clock.advance(Duration::from_secs(10));
    change(PASSWORD).await.unwrap();
}

pub(crate) async fn asvs_6_2_8_a_password_is_checked_exactly_as_received(house: House) {
    let exact = " Wer über\tSchatten springt\u{301}, fällt… ";
    house.found().await;
    let mine = house.sign_in("ada@example.com").await;
    let by = house.user(&mine);
    let changed = house
        .identity
        .change_password(&by, PASSWORD.into(), exact.into(), false);
    changed.await.unwrap();
    for other in [
        exact.trim(),
        exact.to_lowercase().as_str(),
        exact.to_uppercase().as_str(),
        exact.replace('\t', " ").as_str(),
        exact.get(..exact.len() - 1).unwrap(),
        format!("{exact} ").as_str(),
    ] {
        house.clock.advance(Duration::from_secs(10));
        let refused = house.try_sign_in("ada@example.com", other).await;
        let wrong = matches!(refused, Err(SignInError::InvalidCredentials));
        assert!(wrong, "{other:?}");
    }
    house.clock.advance(Duration::from_secs(10));
    house.try_sign_in("ada@example.com", exact).await.unwrap();
}

pub(crate) async fn asvs_6_2_11_every_organization_of_the_person_is_context(house: House) {
    let founded = house.found().await;
    let by = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    let invited = house
        .invite(&by, "bob@example.net", RoleName::ANALYST)
        .await;
    let account = NewAccount {
        name: parsed("Robert"),
        password: "Robert.Acme.Bob 2026".into(),
    };
    let refused = house
        .identity
        .accept_as_new(&invited.token, Some(account), &stranger())
        .await;
    let weak = WeakPassword::Context;
    assert!(
        matches!(refused, Err(AcceptError::Weak(it)) if it == weak),
        "{refused:?}"
    );
    let mine = house.sign_in("ada@example.com").await;
    let by = house.user(&mine);
    let changed =
        house
            .identity
            .change_password(&by, PASSWORD.into(), "ada.acme.example!".into(), true);
    let refused = changed.await;
    assert!(
        matches!(refused, Err(PasswordError::Weak(it)) if it == weak),
        "{refused:?}"
    );
}

pub(crate) async fn asvs_6_2_12_a_disclosed_password_is_refused_everywhere(house: House) {
    let list = [PASSWORD, OTHER].map(|it| BreachDigest::of(&it.into()));
    let guarded = house.with_breaches(Arc::new(FixedBreaches::new(&list)));
    let weak = WeakPassword::Breached;
    let token = house.armed().await;
    let refused = guarded.bootstrap(&token, House::first(), &stranger()).await;
    assert!(
        matches!(refused, Err(BootstrapError::Weak(it)) if it == weak),
        "{refused:?}"
    );
    let founded = house.found().await;
    let by = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    let invited = house
        .invite(&by, "bob@example.net", RoleName::ANALYST)
        .await;
    let refused = guarded
        .accept_as_new(&invited.token, House::account(), &stranger())
        .await;
    assert!(
        matches!(refused, Err(AcceptError::Weak(it)) if it == weak),
        "{refused:?}"
    );
    let mine = house.sign_in("ada@example.com").await;
    let by = house.user(&mine);
    let change = |new: &str| guarded.change_password(&by, PASSWORD.into(), new.into(), false);
    let refused = change(OTHER).await;
    assert!(
        matches!(refused, Err(PasswordError::Weak(it)) if it == weak),
        "{refused:?}"
    );
    change("nobody has disclosed this").await.unwrap();
}

pub(crate) async fn a_list_that_cannot_be_read_passes_no_password(house: House) {
    house.found().await;
    let list = Arc::new(FixedBreaches::new(&[]));
    let guarded = house.with_breaches(Arc::clone(&list) as _);
    let mine = house.sign_in("ada@example.com").await;
    let by = house.user(&mine);
    let spent = house.hasher.spent();
    list.lose();
    let refused = guarded
        .change_password(&by, PASSWORD.into(), OTHER.into(), true)
        .await;
    assert!(
        matches!(refused, Err(PasswordError::Unchecked(_))),
        "{refused:?}"
    );
    assert_eq!(house.hasher.spent(), spent, "nothing was hashed");
    // Who has a password signs in all the same.
    house.sign_in("ada@example.com").await;
}
