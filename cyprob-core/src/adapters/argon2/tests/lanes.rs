//! Those who are known, and strangers.

use std::net::IpAddr;
use std::sync::Arc;

use super::super::Argon2Options;
use super::super::queue::{Lanes, Prefix};
use super::{pool, secret};
use crate::domain::UserId;
use crate::ports::{HashError, PasswordCheck, PasswordHasher};

#[test]
fn who_is_known_takes_turns_with_all_strangers_together() {
    let mut lanes = Lanes::new(8, 4);
    let gone = |_: &u32| false;
    let stranger = |n| Prefix::V4([n; 3]);
    for n in 0..8 {
        assert!(matches!(lanes.push(stranger(n), n.into(), gone), Ok(None)));
    }
    // Strangers are full, and those who are known have all of their places.
    assert!(lanes.push(stranger(9), 9, gone).is_err());
    for n in 100..104 {
        let line = Prefix::Person([n; 16]);
        assert!(matches!(lanes.push(line, n.into(), gone), Ok(None)));
    }
    // While strangers may have no turn, it is those who are known or nobody.
    assert_eq!(lanes.pop(false), Some((100, false)));
    let order: Vec<_> = std::iter::from_fn(|| lanes.pop(true)).collect();
    let (order, strangers): (Vec<_>, Vec<_>) = order.into_iter().unzip();
    assert_eq!(order, [101, 0, 102, 1, 103, 2, 3, 4, 5, 6, 7]);
    assert!(
        order
            .iter()
            .zip(&strangers)
            .all(|(n, stranger)| (*n < 100) == *stranger)
    );
    lanes.push(stranger(1), 1, gone).unwrap();
    assert_eq!(lanes.pop(false), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_have_half_of_the_threads() {
    let options = Argon2Options::default()
        .with_threads(2)
        .with_waiting(64, 64);
    let pool = Arc::new(pool(options));
    let strangers: Vec<_> = (0..24)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { pool.check(secret("p"), None, "x", None).await })
        })
        .collect();
    let person: UserId = "usr_01a20b02a9c8797b8ebd0672f15f608c".parse().unwrap();
    // As many of a known person as one thread does, while the other one is at the strangers'.
    for _ in 0..6 {
        let known = pool.check_known(secret("p"), None, person).await;
        assert!(matches!(known, Ok(PasswordCheck::Wrong)), "{known:?}");
    }
    let done = strangers.iter().filter(|stranger| stranger.is_finished());
    let done = done.count();
    assert!(done < 24, "the strangers were done first");
    for stranger in strangers {
        assert!(matches!(stranger.await.unwrap(), Ok(PasswordCheck::Wrong)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_fill_the_queue_keep_no_known_person_out() {
    let options = Argon2Options::default().with_threads(1).with_waiting(4, 2);
    let pool = Arc::new(pool(options));
    let strangers: Vec<_> = (0..40_u8)
        .map(|n| {
            let pool = Arc::clone(&pool);
            let from = Some(IpAddr::from([10, 0, n, 1]));
            tokio::spawn(async move { pool.check(secret("p"), None, "x", from).await })
        })
        .collect();
    let person: UserId = "usr_01a20b02a9c8797b8ebd0672f15f608c".parse().unwrap();
    for _ in 0..5 {
        let known = pool.check_known(secret("p"), None, person).await;
        assert!(matches!(known, Ok(PasswordCheck::Wrong)), "{known:?}");
    }
    let mut busy = 0;
    for stranger in strangers {
        busy += u32::from(matches!(
            stranger.await.unwrap(),
            Err(HashError::Busy { .. })
        ));
    }
    assert!(busy > 0);
}
