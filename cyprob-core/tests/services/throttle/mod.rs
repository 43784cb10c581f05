//! Throttling: strangers wait, recognised clients do not.

mod address;
mod device;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::{Action, Outcome};
use cyprob_core::service::{Identity, PasswordError, SignInError, SignedIn};
use secrecy::SecretString;

pub(crate) use address::*;
pub(crate) use device::*;
pub(crate) use shared::*;

use crate::house::{House, OTHER, PASSWORD, credentials, stranger};

/// How an attempt ended: `None` for a sign-in, the seconds to wait (rounded up), or nought for a wrong password.
type Told = Option<u64>;

fn told(answer: &Result<SignedIn, SignInError>) -> Told {
    match answer {
        Ok(_) => None,
        Err(SignInError::InvalidCredentials) => Some(0),
        Err(SignInError::SlowDown(slow)) => {
            let part = slow.retry_after.subsec_nanos() > 0;
            Some(slow.retry_after.as_secs() + u64::from(part))
        }
        Err(other) => panic!("{other}"),
    }
}

/// What somebody is told at a node.
async fn told_at(node: &Identity, email: &str, password: &str) -> Told {
    told(
        &node
            .sign_in(credentials(email, password), &stranger())
            .await,
    )
}

/// Signs in at the house, with a device token if there is one.
async fn sign_in(
    house: &House,
    email: &str,
    password: &str,
    device: Option<&SecretString>,
) -> Result<SignedIn, SignInError> {
    let mut credentials = credentials(email, password);
    credentials.device_token = device.cloned();
    house.identity.sign_in(credentials, &stranger()).await
}

async fn seconds(house: &House, seconds: u64) {
    house.clock.advance(Duration::from_secs(seconds));
}

/// Fails so many times in a row, as early as each is let in.
async fn fail(house: &House, email: &str, times: u32) {
    let mut failed = 0;
    while failed < times {
        match told(&sign_in(house, email, OTHER, None).await) {
            Some(0) => failed += 1,
            Some(wait) => seconds(house, wait).await,
            None => panic!("it is wrong"),
        }
    }
}

pub(crate) async fn asvs_6_3_1_failed_sign_ins_slow_down(house: House) {
    house.found().await;
    let email = "ada@example.com";
    for step in [1, 3, 5, 10, 10, 10] {
        assert_eq!(told(&sign_in(&house, email, OTHER, None).await), Some(0));
        let (spent, _) = house.hasher.spent();
        // The right password is not looked at either.
        assert_eq!(
            told(&sign_in(&house, email, PASSWORD, None).await),
            Some(step)
        );
        seconds(&house, step - 1).await;
        assert_eq!(told(&sign_in(&house, email, OTHER, None).await), Some(1));
        assert_eq!(house.hasher.spent().0, spent, "nothing is hashed");
        seconds(&house, 1).await;
    }
    assert_eq!(told(&sign_in(&house, email, PASSWORD, None).await), None);
    assert_eq!(told(&sign_in(&house, email, OTHER, None).await), Some(0));
    assert_eq!(
        told(&sign_in(&house, email, OTHER, None).await),
        Some(1),
        "a success begins anew"
    );
}

pub(crate) async fn asvs_6_3_8_an_unknown_name_is_slowed_down_like_a_known_one(house: House) {
    house.found().await;
    let names = [
        "ada@example.com",
        "nobody@example.com",
        "no address",
        "",
        "\u{ff41}da@example.com",
    ];
    let mut all = Vec::new();
    for name in names {
        let mut answers = Vec::new();
        for round in 0..230 {
            answers.push(told(&sign_in(&house, name, OTHER, None).await));
            seconds(&house, if round % 2 == 0 { 4 } else { 10 }).await;
        }
        assert!(
            answers.contains(&Some(3600)),
            "{name} is never switched off"
        );
        all.push(answers);
        house.identity.flush_failures().await.unwrap();
    }
    for (name, answers) in names.iter().zip(&all) {
        assert_eq!(Some(answers), all.first(), "{name:?}");
    }
}

pub(crate) async fn every_spelling_of_a_name_is_slowed_down_together(house: House) {
    house.found().await;
    let spellings = ["ada@example.com", "ADA@example.com", "Ada@EXAMPLE.com"];
    for (spelling, step) in spellings.into_iter().zip([1, 3, 5]) {
        assert_eq!(told(&sign_in(&house, spelling, OTHER, None).await), Some(0));
        for other in spellings {
            let early = sign_in(&house, other, PASSWORD, None).await;
            assert_eq!(told(&early), Some(step), "{other}");
        }
        seconds(&house, step).await;
    }
}

pub(crate) async fn many_at_once_are_no_way_around(house: House) {
    house.found().await;
    fail(&house, "ada@example.com", 1).await;
    seconds(&house, 10).await;
    house.hasher.hold().await;
    let (spent, _) = house.hasher.spent();
    let attempts: Vec<_> = (0..40)
        .map(|_| {
            let identity = Arc::clone(&house.identity);
            let credentials = credentials("ada@example.com", OTHER);
            tokio::spawn(async move { identity.sign_in(credentials, &stranger()).await })
        })
        .collect();
    house.hasher.arrived(1).await;
    tokio::task::yield_now().await;
    house.hasher.release();
    let mut answers = Vec::new();
    for attempt in attempts {
        answers.push(told(&attempt.await.unwrap()));
    }
    answers.sort_unstable();
    let [Some(0), others @ ..] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert!(others.iter().all(|told| *told == Some(3)), "{answers:?}");
    assert_eq!(house.hasher.spent().0 - spent, 1);
}

pub(crate) async fn a_full_hasher_is_no_failure(house: House) {
    house.found().await;
    house.hasher.fill(3);
    for _ in 0..3 {
        let busy = sign_in(&house, "ada@example.com", OTHER, None).await;
        assert!(matches!(busy, Err(SignInError::Hash(_))), "{busy:?}");
    }
    sign_in(&house, "ada@example.com", PASSWORD, None)
        .await
        .unwrap();
}

pub(crate) async fn asvs_6_3_1_a_hundred_failures_switch_it_off_for_strangers_alone(house: House) {
    house.found().await;
    let email = "ada@example.com";
    let known = sign_in(&house, email, PASSWORD, None).await.unwrap();
    let device = known.device_token.clone();
    house.events().await;
    fail(&house, email, 100).await;
    for _ in 0..3 {
        house.identity.flush_failures().await.unwrap();
        seconds(&house, 86_400).await;
        let stranger = sign_in(&house, email, PASSWORD, None).await;
        assert_eq!(told(&stranger), Some(3600), "time alone does not lift it");
    }
    let events = house.events().await;
    let [event] = &events[..] else {
        panic!("recorded once: {events:?}");
    };
    assert_eq!(event.action, Action::SignInSwitchedOff);
    assert_eq!(event.outcome, Outcome::Denied);
    assert_eq!(event.reason.as_deref(), Some("password"));
    assert_eq!(event.resource.id, known.user.id.to_string());
    // Sessions live on, and who is recognised signs in at once, which lifts it.
    let refreshed = house
        .identity
        .refresh(&known.refresh_token, None, &stranger())
        .await;
    refreshed.unwrap();
    let recognised = sign_in(&house, email, PASSWORD, device.as_ref()).await;
    assert!(recognised.unwrap().recognised);
    let back = sign_in(&house, email, PASSWORD, None).await.unwrap();
    assert!(!back.recognised);
    house.identity.flush_failures().await.unwrap();
    house.events().await;
    // It can be brought about again, and is recorded again.
    fail(&house, email, 100).await;
    house.identity.flush_failures().await.unwrap();
    assert_eq!(house.events().await.len(), 1);
}

pub(crate) async fn an_administrator_switches_it_on_again(house: House) {
    let founded = house.found().await;
    let by = house.deployment(founded.user.id);
    let email = "ada@example.com";
    fail(&house, email, 100).await;
    house.identity.flush_failures().await.unwrap();
    house.events().await;
    let lifted = house.identity.switch_sign_in_on(&by, founded.user.id).await;
    assert!(lifted.unwrap());
    sign_in(&house, email, PASSWORD, None).await.unwrap();
    let events = house.events().await;
    let event = events.first().unwrap();
    assert_eq!(event.action, Action::SignInSwitchedOn);
    assert_eq!(event.resource.id, founded.user.id.to_string());
    let again = house.identity.switch_sign_in_on(&by, founded.user.id).await;
    assert!(!again.unwrap());
    assert_eq!(house.events().await, []);
}

pub(crate) async fn a_changed_password_switches_it_on_again(house: House) {
    house.found().await;
    let email = "ada@example.com";
    let known = sign_in(&house, email, PASSWORD, None).await.unwrap();
    fail(&house, email, 100).await;
    assert_eq!(
        told(&sign_in(&house, email, PASSWORD, None).await),
        Some(3600)
    );
    let by = house.user(&known);
    let changed = house
        .identity
        .change_password(&by, PASSWORD.into(), OTHER.into(), false);
    changed.await.unwrap();
    sign_in(&house, email, OTHER, None).await.unwrap();
}

pub(crate) async fn a_stolen_session_guesses_no_faster_and_delays_nobody(house: House) {
    house.found().await;
    let mine = house.sign_in("ada@example.com").await;
    let by = house.user(&mine);
    let guess = || {
        let guess = house
            .identity
            .change_password(&by, OTHER.into(), OTHER.into(), true);
        async move {
            match guess.await {
                Err(PasswordError::InvalidCredentials) => 0,
                Err(PasswordError::SlowDown(slow)) => slow.retry_after.as_secs(),
                other => panic!("{other:?}"),
            }
        }
    };
    for step in [1, 3, 5, 10, 10] {
        assert_eq!(guess().await, 0);
        assert_eq!(guess().await, step);
        seconds(&house, step).await;
    }
    house.sign_in("ada@example.com").await;
    let other = house.sign_in("ada@example.com").await;
    let by = house.user(&other);
    let changed = house
        .identity
        .change_password(&by, PASSWORD.into(), OTHER.into(), false);
    changed.await.unwrap();
}
