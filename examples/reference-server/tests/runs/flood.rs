//! One organization that sends as much as it can.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::{ORG, install_all, token};
use crate::support::World;

/// Facts of some 4 MB; reading them takes many times that in memory.
fn facts() -> Vec<u8> {
    let set = |n: u32| json!({ "target": format!("192.0.2.{}", n % 256), "port": n % 65_535 + 1, "facts": { "a": n } });
    let sets: Vec<_> = (0..50_000).map(set).collect();
    json!({ "facts": sets }).to_string().into_bytes()
}

/// The largest memory the server ever had, in MiB.
fn peak(world: &World) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<u64>().unwrap() / 1_024
}

#[test]
fn one_organization_fills_neither_the_memory_nor_the_others_places() {
    let world = World::new("");
    install_all(&world);
    let before = peak(&world);
    let (body, bearer) = (facts(), format!("Bearer {}", token(&world)));
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let ended = AtomicBool::new(false);
    let mut answers = BTreeMap::new();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..60)
            .map(|_| {
                let client = world.server.client();
                let (headers, body) = (&headers, &body);
                scope
                    .spawn(move || client.send("POST", &format!("{ORG}/runs"), headers, Some(body)))
            })
            .collect();
        let neighbour = scope.spawn(|| {
            let token = &world.member("globex", "operator").token;
            let client = world.server.client();
            let small =
                json!({ "facts": [{ "target": "192.0.2.1", "port": 1, "facts": { "a": 1 } }] });
            let mut asked = 0;
            while !ended.load(Ordering::Relaxed) {
                // It has no plugin: that is found only after it had a place.
                let answer = client.post("/api/v1/orgs/globex/runs", token, &small);
                assert_eq!(answer.code(), "invalid_field", "{}", answer.text());
                asked += 1;
            }
            asked
        });
        for sender in senders {
            let answer = sender.join().unwrap();
            if answer.status == 429 {
                assert_eq!(answer.code(), "slow_down");
                assert_eq!(answer.header("retry-after"), Some("1"));
            }
            *answers.entry(answer.status).or_insert(0) += 1;
        }
        ended.store(true, Ordering::Relaxed);
        println!("the neighbour asked {} times", neighbour.join().unwrap());
    });
    println!(
        "answers {answers:?}, memory {before} to {} MiB",
        peak(&world)
    );
    assert!(
        answers.keys().all(|status| [202, 429].contains(status)),
        "{answers:?}"
    );
    assert!(answers.len() == 2, "{answers:?}");
    assert!(peak(&world) < before + 600, "{} MiB", peak(&world));
}

#[test]
fn a_full_queue_takes_no_more_until_a_run_has_ended() {
    let world = World::new("worker_command = [\"/bin/sleep\", \"1000\"]\n");
    install_all(&world);
    let token = token(&world);
    let facts = json!({ "facts": [{ "target": "192.0.2.1", "port": 1, "facts": { "a": 1 } }] });
    let ask = || world.client.post(&format!("{ORG}/runs"), &token, &facts);
    let mut last = String::new();
    for _ in 0..100 {
        let queued = ask().expect(202).json();
        queued["id"].as_str().unwrap().clone_into(&mut last);
    }
    let refused = ask().expect(429);
    assert_eq!(refused.code(), "slow_down");
    assert_eq!(refused.header("retry-after"), Some("10"));
    let cancel = format!("{ORG}/runs/{last}/cancel");
    world.client.post(&cancel, &token, &json!({})).expect(200);
    ask().expect(202);
    ask().expect(429);
}
