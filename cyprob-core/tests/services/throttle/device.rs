//! Device tokens.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{fail, seconds, sign_in, told};
use crate::house::{House, OTHER, PASSWORD, credentials, stranger};
use cyprob_core::domain::RoleName;

const ADA: &str = "ada@example.com";

/// The device token of a first sign-in, at an account that strangers then failed at.
async fn delayed(house: &House) -> SecretString {
    house.found().await;
    let known = sign_in(house, ADA, PASSWORD, None).await.unwrap();
    fail(house, ADA, 4).await;
    assert_eq!(told(&sign_in(house, ADA, PASSWORD, None).await), Some(10));
    known.device_token.unwrap()
}

/// What one who shows a text is told; without a device it is ten seconds.
async fn shown(house: &House, text: &str) -> Option<u64> {
    told(&sign_in(house, ADA, PASSWORD, Some(&text.into())).await)
}

pub(crate) async fn a_recognised_client_signs_in_at_once(house: House) {
    let device = delayed(&house).await;
    let signed_in = sign_in(&house, ADA, PASSWORD, Some(&device)).await.unwrap();
    assert!(signed_in.recognised);
    // The new token is the same device under a new date.
    let again = signed_in.device_token.unwrap();
    fail(&house, ADA, 4).await;
    for token in [&again, &device] {
        assert_eq!(shown(&house, token.expose_secret()).await, None);
    }
}

pub(crate) async fn a_forged_or_foreign_device_token_is_none(house: House) {
    let device = delayed(&house).await;
    let founded = house.try_sign_in(ADA, PASSWORD).await;
    assert!(founded.is_err());
    let genuine = device.expose_secret().to_owned();
    let half = genuine.len() / 2;
    for forged in [
        String::new(),
        "x".repeat(100_000),
        genuine[..half].to_owned(),
        genuine.replace("cyd1_1.", "cyd1_2."),
        genuine.to_uppercase(),
        format!("{genuine}="),
        format!(" {genuine}"),
    ] {
        assert_eq!(shown(&house, &forged).await, Some(10), "{forged:.40}");
    }
    assert_eq!(shown(&house, &genuine).await, None);
}

pub(crate) async fn a_device_token_of_another_person_is_none(house: House) {
    let founded = house.found().await;
    let by = house.org(founded.org.id, founded.user.id, RoleName::OWNER);
    house.member(&by, "bob@example.com", RoleName::VIEWER).await;
    let bobs = sign_in(&house, "bob@example.com", PASSWORD, None).await;
    let bobs = bobs.unwrap().device_token.unwrap();
    fail(&house, ADA, 4).await;
    assert_eq!(shown(&house, bobs.expose_secret()).await, Some(10));
    // It keeps its worth for Bob, whatever Ada's account has seen.
    fail(&house, "bob@example.com", 4).await;
    let bob = sign_in(&house, "bob@example.com", PASSWORD, Some(&bobs)).await;
    assert!(bob.unwrap().recognised);
}

pub(crate) async fn a_device_token_ends_with_its_time(house: House) {
    let device = delayed(&house).await;
    let days = Duration::from_secs(90 * 86_400);
    house.clock.advance(days - Duration::from_secs(120));
    fail(&house, ADA, 1).await;
    assert_eq!(shown(&house, device.expose_secret()).await, None);
    house.clock.advance(Duration::from_secs(120));
    fail(&house, ADA, 4).await;
    assert_eq!(shown(&house, device.expose_secret()).await, Some(10));
}

pub(crate) async fn a_changed_password_ends_every_device_token_but_the_new_one(house: House) {
    house.found().await;
    let mine = sign_in(&house, ADA, PASSWORD, None).await.unwrap();
    let old = mine.device_token.clone().unwrap();
    let by = house.user(&mine);
    let changed = house
        .identity
        .change_password(&by, PASSWORD.into(), OTHER.into(), true);
    let new = changed.await.unwrap().unwrap().device_token.unwrap();
    for _ in 0..4 {
        let wrong = sign_in(&house, ADA, PASSWORD, None).await;
        assert_eq!(told(&wrong), Some(0));
        seconds(&house, 10).await;
    }
    sign_in(&house, ADA, PASSWORD, None).await.unwrap_err();
    let with = |device: SecretString| {
        let house = &house;
        async move { told(&sign_in(house, ADA, OTHER, Some(&device)).await) }
    };
    assert_eq!(with(old).await, Some(10), "of an old epoch");
    assert_eq!(with(new).await, None);
}

pub(crate) async fn a_thief_of_a_device_token_guesses_ten_times(house: House) {
    let device = delayed(&house).await;
    let (before, _) = house.hasher.spent();
    for _ in 0..10 {
        let guess = sign_in(&house, ADA, OTHER, Some(&device)).await;
        assert_eq!(told(&guess), Some(0));
    }
    for _ in 0..50 {
        let guess = sign_in(&house, ADA, OTHER, Some(&device)).await;
        assert_eq!(told(&guess), Some(10), "it counts as none");
    }
    assert_eq!(house.hasher.spent().0 - before, 10);
    // Neither time nor a restart gives it new guesses.
    house.identity.flush_failures().await.unwrap();
    seconds(&house, 10).await;
    fail(&house, ADA, 1).await;
    assert_eq!(shown(&house, device.expose_secret()).await, Some(10));
    let restarted = house.again();
    let mut credentials = credentials(ADA, PASSWORD);
    credentials.device_token = Some(device);
    house.identity.flush_failures().await.unwrap();
    let answer = restarted.sign_in(credentials, &stranger()).await;
    assert_eq!(told(&answer), Some(10));
}

pub(crate) async fn failures_of_a_device_are_its_own(house: House) {
    house.found().await;
    let device = sign_in(&house, ADA, PASSWORD, None).await.unwrap();
    let device = device.device_token.unwrap();
    for round in 0..30 {
        for _ in 0..9 {
            let guess = sign_in(&house, ADA, OTHER, Some(&device)).await;
            assert_eq!(told(&guess), Some(0), "{round}");
        }
        // Strangers wait for none of them, and its own success forgives them.
        let first = sign_in(&house, ADA, PASSWORD, None).await;
        assert_eq!(told(&first), None);
        assert_eq!(shown(&house, device.expose_secret()).await, None);
    }
}
