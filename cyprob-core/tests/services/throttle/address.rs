//! The limiter by network.

use std::net::IpAddr;

use cyprob_core::domain::Caller;
use cyprob_core::domain::audit::{Action, MetaValue};
use cyprob_core::service::{AcceptError, BootstrapError, RefreshError};
use secrecy::SecretString;

use super::{Told, seconds, told};
use crate::house::{House, OTHER, PASSWORD, credentials, stranger};

fn from(address: &str) -> Caller {
    let mut caller = stranger();
    caller.origin.ip_address = Some(address.parse::<IpAddr>().unwrap());
    caller
}

async fn at(house: &House, email: &str, password: &str, address: &str) -> Told {
    let credentials = credentials(email, password);
    told(&house.identity.sign_in(credentials, &from(address)).await)
}

/// How many different names one may try from these addresses at one moment.
async fn tried(house: &House, addresses: impl Iterator<Item = String>) -> usize {
    let (before, _) = house.hasher.spent();
    for (number, address) in addresses.enumerate() {
        let name = format!("{address}.{number}@example.com").replace(':', "-");
        at(house, &name, OTHER, &address).await;
    }
    house.hasher.spent().0 - before
}

pub(crate) async fn asvs_6_3_1_an_address_tries_so_many_names_and_then_one_a_second(house: House) {
    house.found().await;
    let one = |times| std::iter::repeat_n("198.51.100.7".to_owned(), times);
    assert_eq!(tried(&house, one(200)).await, 60);
    assert_eq!(
        at(&house, "x@example.com", OTHER, "198.51.100.7").await,
        Some(1)
    );
    seconds(&house, 5).await;
    assert_eq!(tried(&house, one(200)).await, 5);
    // Its neighbours share what a network may, others have all of it.
    let neighbours = (0..200).flat_map(|host| vec![format!("198.51.100.{host}"); 20]);
    let neighbours = tried(&house, neighbours).await;
    assert!((240..=260).contains(&neighbours), "{neighbours}");
    assert_eq!(
        at(&house, "x@example.com", OTHER, "198.51.101.7").await,
        Some(0)
    );
}

pub(crate) async fn asvs_6_3_1_turning_through_ipv6_addresses_helps_nobody(house: House) {
    house.found().await;
    let hosts = (0..300).map(|host| format!("2001:db8:1:2:{host:x}::1"));
    assert_eq!(tried(&house, hosts).await, 60);
    let networks = (0..1_000).map(|net| format!("2001:db8:1:{:x}::1", net % 256));
    assert_eq!(tried(&house, networks).await, 240, "the /56 had 300");
}

pub(crate) async fn who_signs_in_uses_nothing_up(house: House) {
    house.found().await;
    for _ in 0..300 {
        assert_eq!(
            at(&house, "ada@example.com", PASSWORD, "198.51.100.7").await,
            None
        );
    }
}

pub(crate) async fn a_flood_from_the_same_address_keeps_no_recognised_client_out(house: House) {
    house.found().await;
    let known = house.sign_in("ada@example.com").await;
    let address = "198.51.100.7";
    tried(&house, std::iter::repeat_n(address.to_owned(), 100)).await;
    assert_ne!(at(&house, "ada@example.com", PASSWORD, address).await, None);
    let mut credentials = credentials("ada@example.com", PASSWORD);
    credentials.device_token = known.device_token;
    let recognised = house.identity.sign_in(credentials, &from(address)).await;
    assert_eq!(told(&recognised), None);
}

pub(crate) async fn refused_early_is_counted_into_the_trail(house: House) {
    house.found().await;
    house.events().await;
    tried(&house, std::iter::repeat_n("198.51.100.7".to_owned(), 70)).await;
    house.identity.record_refusals().await.unwrap();
    let events = house.events().await;
    let count = |reason: &str| {
        let event = events
            .iter()
            .find(|it| it.reason.as_deref() == Some(reason));
        event.and_then(|event| event.metadata.get("count").cloned())
    };
    assert_eq!(count("slow_down"), Some(MetaValue::count(10)));
    assert_eq!(count("invalid_credentials"), Some(MetaValue::count(60)));
    assert!(
        events
            .iter()
            .all(|event| event.action == Action::SessionRefused)
    );
}

pub(crate) async fn forged_refresh_tokens_delay_no_session_of_this_node(house: House) {
    house.found().await;
    let mine = house.sign_in("ada@example.com").await;
    let token = |number: u32| -> SecretString { format!("cyr1_{number}").into() };
    let mut told = Vec::new();
    for number in 0..400 {
        let answer = house
            .identity
            .refresh(&token(number), None, &stranger())
            .await;
        told.push(matches!(answer, Err(RefreshError::SlowDown(_))));
    }
    assert_eq!(told.iter().filter(|slow| **slow).count(), 100);
    let mine = house
        .identity
        .refresh(&mine.refresh_token, None, &stranger())
        .await
        .unwrap();
    // After a restart it is a token like any other, and the session lives on.
    let restarted = house.again();
    for number in 0..300 {
        let answer = restarted.refresh(&token(number), None, &stranger()).await;
        assert!(matches!(answer, Err(RefreshError::InvalidGrant)));
    }
    let caller = stranger();
    let answer = restarted.refresh(&mine.refresh_token, None, &caller);
    let Err(RefreshError::SlowDown(slow)) = answer.await else {
        panic!("the bucket is empty");
    };
    house.clock.advance(slow.retry_after);
    let caller = stranger();
    let answer = restarted.refresh(&mine.refresh_token, None, &caller);
    answer.await.unwrap();
}

pub(crate) async fn guessed_invitations_and_bootstraps_are_slowed_down(house: House) {
    let mut slow = 0;
    for _ in 0..70 {
        let guess = "cyb_guess".into();
        let guess = house
            .identity
            .bootstrap(&guess, House::first(), &stranger())
            .await;
        match guess {
            Err(BootstrapError::InvalidToken) => {}
            Err(BootstrapError::SlowDown(_)) => slow += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(slow, 10);
    seconds(&house, 1_000).await;
    house.found().await;
    let mut slow = 0;
    for number in 0..70 {
        let guess: SecretString = format!("cyi_{number}").into();
        let guess = house
            .identity
            .accept_as_new(&guess, House::account(), &stranger())
            .await;
        match guess {
            Err(AcceptError::InvalidToken) => {}
            Err(AcceptError::SlowDown(_)) => slow += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(slow, 10);
}
