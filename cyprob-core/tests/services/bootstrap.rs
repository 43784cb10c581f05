//! The first administrator.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::{Action, Actor};
use cyprob_core::service::{Bootstrap, BootstrapError};

use crate::house::{House, parsed, stranger};

pub(crate) async fn of_many_at_once_one_wins(house: House) {
    let token = Arc::new(house.armed().await);
    let racers: Vec<_> = (0..8)
        .map(|number| {
            let (identity, token) = (Arc::clone(&house.identity), Arc::clone(&token));
            tokio::spawn(async move {
                let mut first = House::first();
                first.email = parsed(&format!("racer{number}@example.com"));
                first.org_slug = parsed(&format!("org{number}"));
                identity.bootstrap(&token, first, &stranger()).await
            })
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(founded) => {
                won += 1;
                house.sign_in(founded.user.email.as_str()).await;
            }
            Err(BootstrapError::Closed) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(won, 1);
}

pub(crate) async fn a_token_is_good_for_30_minutes_and_until_the_next(house: House) {
    let bad = |answer: Result<_, BootstrapError>| {
        assert!(
            matches!(answer, Err(BootstrapError::InvalidToken)),
            "{answer:?}"
        );
    };
    let try_with = |token: secrecy::SecretString| {
        let identity = Arc::clone(&house.identity);
        async move {
            identity
                .bootstrap(&token, House::first(), &stranger())
                .await
        }
    };
    bad(try_with("cyb_never".into()).await);
    let first = house.armed().await;
    let second = house.armed().await;
    bad(try_with(first).await);
    house.clock.advance(Duration::from_secs(30 * 60));
    bad(try_with(second).await);
    let third = house.armed().await;
    house.clock.advance(Duration::from_secs(30 * 60 - 1));
    try_with(third).await.unwrap();
}

pub(crate) async fn the_door_stays_closed(house: House) {
    house.found().await;
    assert!(house.identity.is_bootstrapped().await.unwrap());
    let armed = house.identity.arm_bootstrap().await.unwrap();
    assert!(matches!(armed, Bootstrap::Closed));
    let again = house
        .identity
        .bootstrap(&"cyb_x".into(), House::first(), &stranger())
        .await;
    assert!(matches!(again, Err(BootstrapError::Closed)), "{again:?}");
}

pub(crate) async fn the_first_record_of_the_system_log_says_who(house: House) {
    let founded = house.found().await;
    let events = house.events().await;
    let first = events.iter().find(|event| event.org.is_none()).unwrap();
    assert_eq!(first.action, Action::DeploymentBootstrapped);
    assert_eq!(first.resource.id, founded.user.id.to_string());
    assert!(matches!(first.actor, Actor::User { id, .. } if id == founded.user.id));
}
