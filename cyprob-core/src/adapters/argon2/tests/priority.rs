//! Other work goes first.

use std::sync::Arc;
use std::time::Duration;

use super::super::priority::Ticks;
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
