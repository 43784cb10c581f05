use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::queue::{FairQueue, Prefix};
use super::*;
use crate::domain::PasswordHash;
use crate::ports::{HashError, PasswordCheck, PasswordHasher};
use crate::testkit::SeededEntropy;

mod lanes;
#[cfg(target_os = "linux")]
mod priority;

fn pool(options: Argon2Options) -> Argon2Pool {
    Argon2Pool::start(options, Arc::new(SeededEntropy::new(7))).unwrap()
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn secret(text: &str) -> SecretString {
    text.into()
}

async fn check(pool: &Argon2Pool, password: &str, stored: &str) -> PasswordCheck {
    let stored = Some(PasswordHash::from_phc(stored.to_owned()));
    pool.check(secret(password), stored, "ada@example.org", None)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_right_password_alone_is_right() {
    let pool = pool(Argon2Options::testing());
    let hash = pool.hash(secret("vier Elefanten!"), None).await.unwrap();
    let phc = hash.expose_phc().to_owned();
    assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{phc}");
    assert!(matches!(
        check(&pool, "vier Elefanten!", &phc).await,
        PasswordCheck::Right
    ));
    for wrong in ["", "vier Elefanten", "Vier Elefanten!", "vier Elefanten!\0"] {
        assert!(
            matches!(check(&pool, wrong, &phc).await, PasswordCheck::Wrong),
            "{wrong:?}"
        );
    }
    let again = pool.hash(secret("vier Elefanten!"), None).await.unwrap();
    assert_ne!(again.expose_phc(), phc, "a salt came twice");
}

/// A vector of the reference implementation's own tests.
#[tokio::test]
async fn agrees_with_the_reference_implementation() {
    let pool = pool(Argon2Options::default());
    let phc =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert!(matches!(
        check(&pool, "password", phc).await,
        PasswordCheck::RightRehash(_)
    ));
    assert!(matches!(
        check(&pool, "passwort", phc).await,
        PasswordCheck::Wrong
    ));
}

#[tokio::test]
async fn other_parameters_are_renewed_with_a_hash_that_holds() {
    let old = pool(Argon2Options::testing());
    let stored = old.hash(secret("vier Elefanten!"), None).await.unwrap();
    let new = pool(Argon2Options::default().with_threads(1));
    let found = check(&new, "vier Elefanten!", stored.expose_phc()).await;
    let PasswordCheck::RightRehash(renewed) = found else {
        unreachable!("{found:?}")
    };
    assert!(
        renewed
            .expose_phc()
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
    );
    assert!(matches!(
        check(&new, "vier Elefanten!", renewed.expose_phc()).await,
        PasswordCheck::Right
    ));
    assert!(matches!(
        check(&new, "vier Elefanten", stored.expose_phc()).await,
        PasswordCheck::Wrong
    ));
}

#[tokio::test]
async fn a_stored_hash_out_of_bounds_is_wrong_and_costs_no_more() {
    let pool = pool(Argon2Options::testing());
    let good = pool.hash(secret("p"), None).await.unwrap();
    let good = good.expose_phc();
    let hostile = [
        String::new(),
        "$".to_owned(),
        "$$$$$".to_owned(),
        "plain".to_owned(),
        good.replace("argon2id", "argon2i"),
        good.replace("argon2id", "argon2d"),
        good.replace("v=19", "v=16"),
        good.replace("$v=19", ""),
        good.replace("m=8", "m=4294967295"),
        good.replace("m=8", "m=262145"),
        good.replace("m=8", "m=7"),
        good.replace("t=1", "t=4294967295"),
        good.replace("t=1", "t=11"),
        good.replace("t=1", "t=0"),
        good.replace("p=1", "p=5"),
        good.replace("p=1", "p=1,keyid=AAAA"),
        good.replace("p=1", "p=1,data=AAAA"),
        good.rsplit_once('$').unwrap().0.to_owned(),
        format!("{}$AAAAAAAAAAAAAAAAAAAA", good.rsplit_once('$').unwrap().0),
        format!("{good}{}", "A".repeat(70_000)),
        "\u{0}\u{202e}".repeat(30),
    ];
    for stored in hostile {
        assert!(
            matches!(check(&pool, "p", &stored).await, PasswordCheck::Wrong),
            "{stored:.80}"
        );
    }
    let none = pool.check(secret("p"), None, "nobody", None).await.unwrap();
    assert!(matches!(none, PasswordCheck::Wrong));
}

#[test]
fn new_hashes_keep_to_the_floor_and_all_to_the_bounds() {
    for (memory, passes, strong) in [
        (19_456, 2, true),
        (19_455, 2, false),
        (47_104, 1, true),
        (47_103, 1, false),
        (7_168, 5, true),
        (7_168, 4, false),
        (8, 10, false),
        (262_144, 10, true),
    ] {
        let params = HashParams::new(memory, passes, 1).unwrap();
        let set = Argon2Options::default().with_params(params);
        assert_eq!(set.is_ok(), strong, "m={memory} t={passes}");
    }
    for (memory, passes, lanes) in [
        (262_145, 2, 1),
        (19_456, 11, 1),
        (19_456, 0, 1),
        (19_456, 2, 5),
        (19_456, 2, 0),
        (31, 1, 4),
    ] {
        assert_eq!(
            HashParams::new(memory, passes, lanes),
            Err(ParamsError::OutOfBounds)
        );
    }
}

#[test]
fn an_unknown_person_is_given_live_parameters_and_keeps_them() {
    let old = HashParams::new(4096, 3, 1).unwrap();
    let options = Argon2Options::testing()
        .with_identifier_key([1; 32])
        .with_live([(HashParams::OWASP, 3), (old, 1), (HashParams::TESTING, 0)]);
    let (one, two) = (pool(options.clone()), pool(options.clone()));
    let other_key = pool(options.with_identifier_key([2; 32]));
    let names: Vec<String> = (0..4000).map(|n| format!("{n}@example.org")).collect();
    let many = names
        .iter()
        .filter(|name| one.parameters_of(name) == old)
        .count();
    assert!(
        (850..1150).contains(&many),
        "{many} of 4000 are old, not a quarter"
    );
    assert!(
        names
            .iter()
            .all(|name| one.parameters_of(name) == two.parameters_of(name))
    );
    assert!(
        names
            .iter()
            .any(|name| one.parameters_of(name) != other_key.parameters_of(name))
    );
    assert!(
        names
            .iter()
            .all(|name| one.parameters_of(name) != HashParams::TESTING)
    );
    let plain = pool(Argon2Options::testing());
    assert_eq!(plain.parameters_of("x"), HashParams::TESTING);
}

#[test]
fn prefixes_are_as_wide_as_what_one_person_commands() {
    let of = |text| Prefix::of(ip(text));
    assert_eq!(of("192.0.2.1"), of("192.0.2.254"));
    assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
    assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.9"));
    assert_eq!(of("2001:db8:0:1100::1"), of("2001:db8:0:11ff::9"));
    assert_ne!(of("2001:db8:0:1100::1"), of("2001:db8:0:1200::1"));
    assert_ne!(of("0.0.0.0"), Prefix::of(None));
}

#[test]
fn lines_are_served_in_turn() {
    let mut queue = FairQueue::new(64, 16);
    let (flood, one, two) = (Prefix::V4([1; 3]), Prefix::V4([2; 3]), Prefix::None);
    for n in 0..10 {
        queue.push(flood, ("flood", n), |_| false).unwrap();
    }
    queue.push(one, ("one", 0), |_| false).unwrap();
    queue.push(two, ("two", 0), |_| false).unwrap();
    let order: Vec<_> = std::iter::from_fn(|| queue.pop())
        .map(|(who, _)| who)
        .collect();
    assert_eq!(order[..4], ["flood", "one", "two", "flood"]);
    assert_eq!(order.len(), 12);
}

#[test]
fn a_flood_gives_way_and_bounds_hold() {
    let mut queue = FairQueue::new(8, 6);
    let line = |n| Prefix::V4([n; 3]);
    for n in 0..6 {
        queue.push(line(1), (1, n), |_| false).unwrap();
    }
    assert!(queue.push(line(1), (1, 9), |_| false).is_err());
    queue.push(line(2), (2, 0), |_| false).unwrap();
    queue.push(line(2), (2, 1), |_| false).unwrap();
    // Full: a newcomer takes the place of the flood's last, the flood itself nobody's.
    assert_eq!(
        queue.push(line(3), (3, 0), |_| false).unwrap(),
        Some((1, 5))
    );
    assert_eq!(
        queue.push(line(3), (3, 1), |_| false).unwrap(),
        Some((1, 4))
    );
    assert!(queue.push(line(1), (1, 9), |_| false).is_err());
    // Those whose caller left are dropped first.
    assert_eq!(queue.push(line(4), (4, 0), |job| job.0 == 2).unwrap(), None);
    assert_eq!(queue.iter().count(), 7);
    let mut left: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
    left.sort_unstable();
    assert_eq!(
        left,
        [(1, 0), (1, 1), (1, 2), (1, 3), (3, 0), (3, 1), (4, 0)]
    );
    assert!(queue.pop().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_bound_the_answer_is_busy_and_the_pool_recovers() {
    let options = Argon2Options::default().with_threads(1).with_waiting(4, 2);
    let pool = Arc::new(pool(options));
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let pool = Arc::clone(&pool);
            let from = ip(if n % 2 == 0 {
                "192.0.2.1"
            } else {
                "198.51.100.1"
            });
            tokio::spawn(async move { pool.check(secret("p"), None, "x", from).await })
        })
        .collect();
    let (mut done, mut busy) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(PasswordCheck::Wrong) => done += 1,
            Err(HashError::Busy { retry_after }) => {
                assert!((Duration::from_secs(1)..=Duration::from_secs(60)).contains(&retry_after));
                busy += 1;
            }
            other => unreachable!("{other:?}"),
        }
    }
    assert!(done >= 4 && busy >= 1, "{done} done, {busy} busy");
    assert!(pool.check(secret("p"), None, "x", None).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_leave_cost_nothing_more() {
    let pool = Arc::new(pool(
        Argon2Options::default()
            .with_threads(1)
            .with_waiting(64, 64),
    ));
    for _ in 0..60 {
        let theirs = Arc::clone(&pool);
        let task = tokio::spawn(async move { theirs.hash(secret("p"), None).await });
        tokio::task::yield_now().await;
        task.abort();
    }
    // All sixty are gone; this one waits for the one that had begun, at most.
    let waited = tokio::time::timeout(Duration::from_secs(5), pool.hash(secret("p"), None));
    assert!(waited.await.unwrap().is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_pool_answers_all_and_ends_its_threads() {
    let pool = pool(Argon2Options::default().with_threads(2));
    let shared = Arc::downgrade(&pool.shared);
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let (reply, answer) = tokio::sync::oneshot::channel();
            let job = super::pool::Job {
                work: super::compute::Work::Hash,
                password: secret("p"),
                reply,
            };
            pool.queue(job, Prefix::None).unwrap();
            answer
        })
        .collect();
    drop(pool);
    assert!(shared.upgrade().is_none(), "a thread still holds the pool");
    let mut unanswered = 0;
    for answer in waiting {
        match answer.await {
            Ok(answer) => assert!(answer.is_ok()),
            Err(_) => unanswered += 1,
        }
    }
    assert!(unanswered >= 6, "only {unanswered} were cut short");
}

#[tokio::test]
async fn concurrent_hashes_have_salts_of_their_own() {
    let pool = pool(Argon2Options::testing().with_waiting(512, 512));
    let mut salts = HashSet::new();
    for _ in 0..200 {
        let hash = pool.hash(secret("p"), None).await.unwrap();
        let salt = hash.expose_phc().split('$').nth(4).unwrap().to_owned();
        assert!(salts.insert(salt));
    }
}
