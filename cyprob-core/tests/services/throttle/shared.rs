//! What outlives a process, what nodes share, and what is worth an event.

use std::time::Duration;

use cyprob_core::domain::Timestamp;
use cyprob_core::domain::audit::{Action, MetaValue};
use cyprob_core::ports::Clock;

use super::{fail, seconds, sign_in, told, told_at};
use crate::house::{House, OTHER, PASSWORD, credentials, stranger};

const ADA: &str = "ada@example.com";

pub(crate) async fn a_restart_forgets_no_failure(house: House) {
    house.found().await;
    fail(&house, ADA, 4).await;
    house.identity.flush_failures().await.unwrap();
    let restarted = house.again();
    assert_eq!(told_at(&restarted, ADA, PASSWORD).await, Some(10));
}

pub(crate) async fn nodes_share_their_counters_within_two_flushes(house: House) {
    house.found().await;
    let nodes = [house.again(), house.again(), house.again()];
    // Each node is at its own count until they have told each other.
    for node in &nodes {
        assert_eq!(told_at(node, ADA, OTHER).await, Some(0));
    }
    for node in &nodes {
        node.flush_failures().await.unwrap();
    }
    seconds(&house, 5).await;
    // Three failures are known now; the fourth makes it ten seconds, at every node.
    let [first, others @ ..] = &nodes;
    assert_eq!(told_at(first, ADA, OTHER).await, Some(0));
    first.flush_failures().await.unwrap();
    for node in others {
        assert_eq!(told_at(node, ADA, PASSWORD).await, Some(10));
    }
}

pub(crate) async fn of_many_nodes_one_records_that_it_is_switched_off(house: House) {
    let founded = house.found().await;
    let nodes = [house.again(), house.again(), house.again()];
    house.events().await;
    for round in 0..60_u64 {
        for node in &nodes {
            let told = told_at(node, ADA, OTHER).await;
            assert!(matches!(told, Some(0 | 3600)), "{round}");
        }
        for node in &nodes {
            node.flush_failures().await.unwrap();
        }
        seconds(&house, 10).await;
    }
    let events = house.events().await;
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(event.action, Action::SignInSwitchedOff);
    assert_eq!(event.resource.id, founded.user.id.to_string());
}

pub(crate) async fn nothing_is_written_for_who_succeeds_or_fails_once_in_between(house: House) {
    house.found().await;
    for _ in 0..5 {
        sign_in(&house, ADA, PASSWORD, None).await.unwrap();
    }
    house.events().await;
    house.identity.flush_failures().await.unwrap();
    assert_eq!(house.identity.sweep_failures().await.unwrap(), 0);
    assert_eq!(house.events().await, []);
}

pub(crate) async fn quiet_counters_are_swept_and_those_at_the_bound_stay(house: House) {
    house.found().await;
    fail(&house, ADA, 100).await;
    fail(&house, "bob@example.com", 3).await;
    house.identity.flush_failures().await.unwrap();
    house.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(house.identity.sweep_failures().await.unwrap(), 1);
    let answer = sign_in(&house, ADA, PASSWORD, None).await;
    assert_eq!(told(&answer), Some(3600));
}

pub(crate) async fn a_clock_set_back_or_forth_locks_nobody_out(house: House) {
    house.found().await;
    let known = sign_in(&house, ADA, PASSWORD, None).await.unwrap();
    let now = house.clock.now();
    for step in [-86_400, 3_600, -1_000_000_000, 2_000_000_000, 0] {
        fail(&house, ADA, 5).await;
        for number in 0..80 {
            let name = format!("{number}@example.com");
            sign_in(&house, &name, OTHER, None).await.unwrap_err();
        }
        house
            .clock
            .set(Timestamp::from_seconds(now.as_seconds() + step));
        let mut waited = 0;
        while let Some(wait) = told(&sign_in(&house, ADA, PASSWORD, None).await) {
            seconds(&house, wait).await;
            waited += wait;
        }
        assert!(waited <= 11, "{waited} seconds after a step of {step}");
    }
    fail(&house, ADA, 5).await;
    let device = known.device_token;
    let recognised = sign_in(&house, ADA, PASSWORD, device.as_ref()).await;
    assert_eq!(told(&recognised), None);
}

pub(crate) async fn asvs_16_3_1_many_names_that_fail_at_once_are_one_event_and_its_end(
    house: House,
) {
    house.found().await;
    house.events().await;
    for minute in 0..12_u32 {
        let many: u32 = if (4..7).contains(&minute) { 200 } else { 3 };
        for number in 0..many {
            let mut caller = stranger();
            let [.., a, b] = number.to_be_bytes();
            caller.origin.ip_address = Some([198, 51, a, b].into());
            let name = format!("{minute}.{number}@example.com");
            let credentials = credentials(&name, OTHER);
            let answer = house.identity.sign_in(credentials, &caller).await;
            assert_eq!(told(&answer), Some(0));
        }
        for _ in 0..12 {
            house.identity.flush_failures().await.unwrap();
            seconds(&house, 5).await;
        }
    }
    let events = house.events().await;
    let [began, ended] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(began.action, Action::SignInSurgeBegan);
    assert_eq!(ended.action, Action::SignInSurgeEnded);
    let number = |value: Option<&MetaValue>| match value {
        Some(MetaValue::Count { value }) => *value,
        other => panic!("{other:?}"),
    };
    let names = number(ended.metadata.get("names_per_minute"));
    assert!((180..=220).contains(&names), "{names}");
    let failures = number(ended.metadata.get("failures"));
    assert_eq!(failures, 603);
    assert_eq!(number(began.metadata.get("usual_per_minute")), 3);
}
