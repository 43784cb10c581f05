use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::*;
use crate::adapters::system::SystemEntropy;
use crate::domain::PasswordHash;
use crate::ports::{HashError, PasswordCheck, PasswordHasher};

fn pool(params: HashParams, queue: usize) -> Argon2Pool {
    let options = Argon2Options {
        params,
        in_use: Vec::new(),
        threads: NonZeroUsize::new(1),
        queue: NonZeroUsize::new(queue).unwrap(),
    };
    Argon2Pool::start(options, Arc::new(SystemEntropy)).unwrap()
}

fn fast() -> HashParams {
    HashParams::insecure_for_tests()
}

#[tokio::test]
async fn right_wrong_and_rehash() {
    let pool = pool(fast(), 8);
    let stored = pool.hash("correct horse".into(), None).await.unwrap();
    assert!(
        stored
            .expose_phc()
            .starts_with("$argon2id$v=19$m=8,t=1,p=1$")
    );
    let check = |password: &'static str, stored: &PasswordHash| {
        pool.check(password.into(), Some(stored.clone()), "ada", None)
    };
    assert!(matches!(
        check("correct horse", &stored).await.unwrap(),
        PasswordCheck::Right
    ));
    assert!(matches!(
        check("correct horsf", &stored).await.unwrap(),
        PasswordCheck::Wrong
    ));

    let stronger = self::pool(HashParams::stored(16, 1, 1).unwrap(), 8);
    let again = stronger
        .check("correct horse".into(), Some(stored), "ada", None)
        .await
        .unwrap();
    let PasswordCheck::RightRehash(new) = again else {
        panic!("expected a rehash: {again:?}")
    };
    assert!(matches!(
        stronger
            .check("correct horse".into(), Some(new), "ada", None)
            .await
            .unwrap(),
        PasswordCheck::Right
    ));
}

#[tokio::test]
async fn no_stored_form_and_broken_ones_are_wrong() {
    let pool = pool(fast(), 8);
    let good = pool
        .hash("correct horse".into(), None)
        .await
        .unwrap()
        .expose_phc()
        .to_owned();
    let broken = [
        String::new(),
        "$".to_owned(),
        good.replace("argon2id", "argon2i"),
        good.replace("argon2id", "argon2d"),
        good.replace("v=19", "v=16"),
        good.replace("m=8", "m=4294967295"),
        good.replace("t=1", "t=4294967295"),
        good.replace("p=1", "p=16777215"),
        good.replace("m=8", "m=0"),
        format!("{good}AAAA"),
        "x".repeat(100_000),
    ];
    for text in broken {
        let stored = Some(PasswordHash::from_phc(text.clone()));
        let found = pool
            .check("correct horse".into(), stored, "ada", None)
            .await
            .unwrap();
        assert!(matches!(found, PasswordCheck::Wrong), "{text}");
    }
    let found = pool
        .check("correct horse".into(), None, "ada", None)
        .await
        .unwrap();
    assert!(matches!(found, PasswordCheck::Wrong));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_the_queue_is_busy_and_a_flood_gives_way() {
    // One thread at a real cost, so that jobs pile up.
    let pool = Arc::new(pool(HashParams::default(), 4));
    let flood = IpAddr::from([10, 0, 0, 1]);
    let mut tasks = Vec::new();
    for _ in 0..40 {
        let pool = Arc::clone(&pool);
        tasks.push(tokio::spawn(async move {
            pool.hash("x".into(), Some(flood)).await
        }));
    }
    tokio::task::yield_now().await;
    let other = pool
        .hash("x".into(), Some(IpAddr::from([10, 9, 9, 9])))
        .await;
    assert!(other.is_ok(), "{other:?}");
    let (mut done, mut busy) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => done += 1,
            Err(HashError::Busy { retry_after }) => {
                assert!(retry_after.as_secs() >= 1);
                busy += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(done + busy, 40);
    assert!(busy >= 20 && done >= 2, "{done} done, {busy} busy");
}

#[tokio::test]
async fn the_floor_holds() {
    assert!(HashParams::new(19_456, 2, 1).is_ok());
    assert!(HashParams::new(47_104, 1, 1).is_ok());
    for (m, t, p) in [
        (19_455, 2, 1),
        (19_456, 1, 1),
        (7_167, 10, 1),
        (262_145, 2, 1),
        (19_456, 11, 1),
        (19_456, 2, 5),
    ] {
        assert_eq!(HashParams::new(m, t, p), Err(WeakParams), "{m} {t} {p}");
    }
}

#[tokio::test]
async fn an_unknown_name_costs_one_of_the_parameters_in_use_and_always_the_same() {
    let in_use = vec![
        HashParams::stored(8, 1, 1).unwrap(),
        HashParams::stored(16, 1, 1).unwrap(),
    ];
    let options = Argon2Options {
        params: fast(),
        in_use: in_use.clone(),
        ..Argon2Options::default()
    };
    let pool = Argon2Pool::start(options, Arc::new(SystemEntropy)).unwrap();
    let drawn: Vec<_> = (0..200).map(|n| pool.dummy(&format!("user{n}"))).collect();
    let first = drawn.iter().filter(|params| **params == in_use[0]).count();
    assert!((60..140).contains(&first), "{first} of 200");
    assert!((0..200).all(|n| pool.dummy(&format!("user{n}")) == drawn[n]));
}
