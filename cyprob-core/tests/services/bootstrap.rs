//! The first administrator.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::{Action, Actor};
use cyprob_core::service::{Bootstrap, BootstrapError, SignInError};

use crate::house::{House, PASSWORD, parsed, stranger};

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

pub(crate) async fn asvs_6_3_2_a_new_deployment_has_no_account(house: House) {
    let names = [
        "root",
        "admin",
        "administrator",
        "sa",
        "guest",
        "test",
        "cyprob",
    ];
    let passwords = ["", "root", "admin", "password", "changeme", "cyprob"];
    let everybody = names.iter().flat_map(|name| {
        let hosts = ["", "@localhost", "@example.com", "@cyprob"];
        hosts.map(|host| format!("{name}{host}"))
    });
    let everybody: Vec<_> = everybody.collect();
    // Before the first administrator, and beside the one there is then.
    for founded in [false, true] {
        if founded {
            house.found().await;
        }
        assert_eq!(house.store.is_bootstrapped().await.unwrap(), founded);
        for email in &everybody {
            for password in passwords.into_iter().chain([PASSWORD]) {
                house.clock.advance(Duration::from_secs(10));
                let refused = house.try_sign_in(email, password).await;
                let refused = matches!(refused, Err(SignInError::InvalidCredentials));
                assert!(refused, "{email}");
            }
            if let Ok(address) = email.parse() {
                let account = house.store.user_by_email(&address).await.unwrap();
                assert!(account.is_none(), "{email}");
            }
        }
    }
}
