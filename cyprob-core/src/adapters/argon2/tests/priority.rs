//! Other work goes first.

use std::sync::Arc;
use std::time::Duration;

use super::super::priority::{AFTER_A_FLOOD, Ticks};
use super::*;

#[tokio::test]
async fn its_threads_have_the_lowest_priority() {
    let pool = pool(Argon2Options::testing().with_threads(2));
    pool.hash(secret("p"), None).await.unwrap();
    let mut policies = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
        // The threads of other tests may not have come so far yet.
        if let Some((name, rest)) = stat.rsplit_once(')')
            && name.contains("cyprob-hash")
        {
            policies.push(rest.split_whitespace().nth(38).unwrap().to_owned());
        }
    }
    let idle = |policy: &String| policy == "5";
    assert!(policies.iter().any(idle), "{policies:?}");
}

/// How often the threads of this name have waited so far.
fn waits(name: &str) -> u64 {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let status = std::fs::read_to_string(task.unwrap().path().join("status"));
        let status = status.unwrap_or_default();
        let line = |what: &str| status.lines().find_map(|line| line.strip_prefix(what));
        if line("Name:").is_some_and(|it| it.trim() == name) {
            let waited = line("voluntary_ctxt_switches:").unwrap().trim();
            sum += waited.parse::<u64>().unwrap();
        }
    }
    sum
}

#[test]
fn the_scheduler_is_made_to_look_again_while_a_hash_runs_and_left_alone_else() {
    let name = "a-ticks-test";
    let ticks = Arc::new(Ticks::default());
    let served = Arc::clone(&ticks);
    let thread = std::thread::Builder::new().name(name.to_owned());
    let thread = thread.spawn(move || served.serve()).unwrap();
    let passes = || {
        let before = waits(name);
        std::thread::sleep(Duration::from_millis(50));
        waits(name) - before
    };
    // Nobody waits, and nobody had to.
    let alone = ticks.during(false);
    assert!(alone.is_none());
    let running = [ticks.during(true), ticks.during(false)];
    assert!(running.iter().all(Option::is_some));
    let both = passes();
    assert!(both > 20, "{both}");
    let [one, other] = running;
    drop(one);
    let one = passes();
    assert!(one > 20, "{one}");
    drop(other);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(passes(), 0);
    ticks.stop();
    thread.join().unwrap();
}

#[test]
fn so_many_hashes_after_a_flood_count_as_its_own_and_none_after_them() {
    let ticks = Ticks::default();
    assert!(ticks.during(false).is_none());
    for _ in 0..2 {
        assert!(ticks.during(true).is_some());
        for number in 0..AFTER_A_FLOOD {
            assert!(ticks.during(false).is_some(), "{number}");
        }
        for _ in 0..3 {
            assert!(ticks.during(false).is_none());
        }
    }
    // Whoever waits in between begins the count again.
    assert!(ticks.during(true).is_some());
    assert!(ticks.during(false).is_some());
    assert!(ticks.during(true).is_some());
    assert_eq!(ticks.left(), AFTER_A_FLOOD);
}

/// Many hashes at once, which wait for each other.
async fn flood(pool: &Argon2Pool) {
    let asked: Vec<_> = (0..32)
        .map(|_| {
            let (reply, answer) = tokio::sync::oneshot::channel();
            let job = super::super::pool::Job {
                work: super::super::compute::Work::Hash,
                password: secret("p"),
                reply,
            };
            pool.queue(job, Prefix::None).unwrap();
            answer
        })
        .collect();
    for answer in asked {
        assert!(answer.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_pool_ticks_after_a_flood_and_stops() {
    let options = Argon2Options::testing().with_threads(1);
    let pool = pool(options.with_waiting(64, 64));
    pool.hash(secret("p"), None).await.unwrap();
    assert_eq!(pool.shared.ticks.left(), 0, "nobody waited");
    flood(&pool).await;
    let left = pool.shared.ticks.left();
    assert!(left > 0, "a flood was not seen");
    for done in 1..=left {
        pool.hash(secret("p"), None).await.unwrap();
        assert_eq!(pool.shared.ticks.left(), left - done);
    }
    pool.hash(secret("p"), None).await.unwrap();
    assert_eq!(pool.shared.ticks.left(), 0);
}

#[tokio::test]
async fn a_pool_hashes_without_its_ticks() {
    let options = Argon2Options::testing().with_threads(2);
    let entropy = Arc::new(SeededEntropy::new(7));
    let none = |_| Err(std::io::Error::other("no thread is left"));
    let pool = Argon2Pool::start_with(options.with_waiting(64, 64), entropy, none).unwrap();
    flood(&pool).await;
    let hash = pool.hash(secret("vier Elefanten!"), None).await.unwrap();
    let checked = check(&pool, "vier Elefanten!", hash.expose_phc()).await;
    assert!(matches!(checked, PasswordCheck::Right));
}
