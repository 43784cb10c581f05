use super::*;
use crate::domain::{FailureKind, Subject};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn key(number: u32) -> FailureKey {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    FailureKey {
        subject: Subject::from_bytes(bytes),
        kind: FailureKind::Password,
    }
}

fn free(_: &Failures, _: u32) -> Duration {
    Duration::ZERO
}

fn fail(counters: &Counters, number: u32, at: Timestamp) {
    assert_eq!(counters.enter(&key(number), at, free), Some(Ok(())));
    counters.fail(&key(number), None, at);
}

fn count(counters: &Counters, number: u32, at: Timestamp) -> Option<u32> {
    counters
        .failures(&key(number), at)
        .map(|failures| failures.count)
}

fn stored(count: u32) -> Failures {
    Failures {
        count,
        last: (count > 0).then(|| at(-100)),
    }
}

#[test]
fn a_counter_is_read_before_it_is_used_and_again_when_it_is_old() {
    let counters = Counters::default();
    assert_eq!(counters.enter(&key(1), at(0), free), None);
    counters.read(key(1), stored(7), at(0)).unwrap();
    assert_eq!(count(&counters, 1, at(0)), Some(7));
    assert_eq!(count(&counters, 1, at(4)), Some(7));
    assert_eq!(
        count(&counters, 1, at(5)),
        None,
        "another node may have counted"
    );
    assert_eq!(count(&counters, 1, at(-5)), None, "the clock was set back");
    fail(&counters, 1, at(2));
    counters.read(key(1), stored(9), at(5)).unwrap();
    assert_eq!(count(&counters, 1, at(5)), Some(10));
}

#[test]
fn the_store_is_told_once_and_again_if_it_did_not_take_it() {
    let counters = Counters::default();
    counters.read(key(1), stored(7), at(0)).unwrap();
    fail(&counters, 1, at(1));
    fail(&counters, 1, at(2));
    let changes: Vec<_> = counters.drain(at(2)).into_iter().map(|(c, _)| c).collect();
    let [change] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!(
        (change.more, change.last, change.cleared),
        (2, at(2), false)
    );
    assert_eq!(count(&counters, 1, at(2)), Some(9));
    assert!(counters.drain(at(3)).is_empty(), "it is being told");
    counters.read(key(1), stored(7), at(3)).unwrap();
    assert_eq!(
        count(&counters, 1, at(3)),
        Some(9),
        "a reader in between sees the past"
    );
    counters.put_back(&changes);
    assert_eq!(count(&counters, 1, at(3)), Some(9));
    fail(&counters, 1, at(3));
    let changes: Vec<_> = counters.drain(at(3)).into_iter().map(|(c, _)| c).collect();
    assert_eq!((changes[0].more, changes[0].last), (3, at(3)));
    counters.told(&changes);
    assert!(counters.drain(at(3)).is_empty());
    assert_eq!(count(&counters, 1, at(3)), Some(10));
}

#[test]
fn a_success_clears_what_is_stored_and_costs_no_write_where_nothing_is() {
    let counters = Counters::default();
    counters.read(key(1), stored(7), at(0)).unwrap();
    counters.read(key(2), stored(0), at(0)).unwrap();
    for number in [1, 2] {
        assert_eq!(counters.enter(&key(number), at(0), free), Some(Ok(())));
        counters.succeed(&key(number));
        assert_eq!(count(&counters, number, at(0)), Some(0));
    }
    fail(&counters, 1, at(1));
    let changes = counters.drain(at(1));
    let [(change, all)] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert!(change.cleared && change.key == key(1));
    assert_eq!((change.more, all.count), (1, 1));
}

#[test]
fn a_success_while_the_store_is_told_is_told_as_well() {
    let counters = Counters::default();
    counters.read(key(1), stored(0), at(0)).unwrap();
    fail(&counters, 1, at(0));
    let changes: Vec<_> = counters.drain(at(0)).into_iter().map(|(c, _)| c).collect();
    counters.clear(&key(1));
    counters.put_back(&changes);
    assert_eq!(count(&counters, 1, at(0)), Some(0));
    let again = counters.drain(at(0));
    assert!(again[0].0.cleared && again[0].0.more == 0);
}

#[test]
fn it_holds_so_many_and_forgets_only_what_the_store_knows() {
    let counters = Counters::default();
    let bytes = Counters::bytes();
    for number in 0..1_000 {
        counters.read(key(number), stored(0), at(0)).unwrap();
        fail(&counters, number, at(0));
    }
    for number in 1_000..200_000 {
        counters.read(key(number), stored(3), at(0)).unwrap();
    }
    assert!((0..1_000).all(|number| count(&counters, number, at(0)) == Some(1)));
    assert!(counters.lock().capacity() <= PLACES / 8 * 7, "it has grown");
    assert!(bytes < 8 << 20, "{bytes}");
    for number in 300_000..400_000 {
        if counters.read(key(number), stored(0), at(0)).is_err() {
            // Only what was counted is left: the store was not told for long.
            assert_eq!(number, 300_000 + u32::try_from(MOST).unwrap() - 1_000);
            return;
        }
        fail(&counters, number, at(0));
    }
    panic!("there is no bound");
}
