//! AUD-1 across the two systems: whatever fails or ends at whatever step.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::testkit::faults::{Fault, Faults};

/// What is done under a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    First,
    Next,
    Rotate,
    Delete,
}

const ACTS: [Act; 4] = [Act::First, Act::Next, Act::Rotate, Act::Delete];

async fn act(secrets: &OrgSecrets, act: Act) -> Result<(), OrgSecretError> {
    let (acme, a, value) = (ctx(ACME), name("a"), value("x"));
    match act {
        Act::First | Act::Next => secrets.put(&acme, &a, &value, None).await.map(drop),
        Act::Rotate => {
            let drawing = Drawing::default();
            secrets.rotate(&acme, &a, drawing, None).await.map(drop)
        }
        Act::Delete => secrets.delete(&acme, &a).await,
    }
}

async fn newest(stand: &Stand) -> Option<u64> {
    let stored = name(&format!("orgs/{ACME}/a"));
    let versions = stand.store.versions(&stored).await.unwrap();
    versions.last().map(|version| version.get())
}

/// How one case ended: whether the caller was told of success, and how often the change was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ending {
    succeeded: bool,
    changed: bool,
    recorded: usize,
}

/// Runs one act with a fault at one call, lets another process go on, and compares trail and store.
async fn case(kind: Act, fault: Fault, call: usize, at_store: bool) -> Option<Ending> {
    let stand = Stand::new();
    let first = stand.process();
    if kind != Act::First {
        act(&first, Act::First).await.unwrap();
    }
    let (before, events) = (newest(&stand).await, stand.events().await.len());
    let faults: &Faults = if at_store {
        &stand.store.faults
    } else {
        &stand.outbox.faults
    };
    faults.at(call, fault);
    let told = tokio::select! {
        told = act(&first, kind) => Some(told),
        () = faults.killed() => None,
    };
    let reached = faults.calls() > call;
    faults.none();
    if !reached {
        assert!(matches!(told, Some(Ok(()))), "{kind:?}: {told:?}");
        return None;
    }
    let after = newest(&stand).await;
    let changed = after != before;
    // The same process goes on at once, and another one half a minute later; so long the same
    // one waits where the store did not say whether it made the change.
    let next = match told {
        Some(_) => first,
        None => stand.process(),
    };
    next.settle().await.unwrap();
    // Another one doubts for as long again what it does not find.
    for _ in 0..2 {
        stand.clock.advance(Duration::from_secs(31));
        next.settle().await.unwrap();
    }
    assert_eq!(next.settle().await.unwrap(), 0, "a note is left");
    assert_eq!(newest(&stand).await, after, "settling changes no secret");
    let events: Vec<AuditEvent> = stand.events().await.split_off(events);
    let what = format!("{kind:?} {fault:?} at call {call}: {told:?}, {events:?}");
    assert_eq!(!events.is_empty(), changed, "{what}");
    let version = if kind == Act::Delete { before } else { after };
    for event in &events {
        assert_eq!(u64::try_from(count(event)).ok(), version, "{what}");
        assert_eq!(event.org, Some(ctx(ACME).org()));
    }
    if let [one, other] = events.as_slice() {
        assert_eq!(
            other.metadata.get("change"),
            Some(&MetaValue::public(one.id)),
            "{what}"
        );
        assert_ne!(one.id, other.id);
    }
    // Nobody is told of a change that was not made, and the next change is made.
    let succeeded = matches!(told, Some(Ok(())));
    assert!(!succeeded || changed, "{what}");
    act(&next, Act::Next).await.unwrap();
    Some(Ending {
        succeeded,
        changed,
        recorded: events.len(),
    })
}

/// AUD-1: a change has its event and an event its change, for a failure or end on either side of any call.
#[tokio::test(start_paused = true)]
async fn aud_1_over_two_systems() {
    let mut endings: BTreeMap<Ending, u32> = BTreeMap::new();
    for at_store in [true, false] {
        for kind in ACTS {
            for fault in Fault::ALL {
                let mut call = 0;
                while let Some(ending) = case(kind, fault, call, at_store).await {
                    *endings.entry(ending).or_default() += 1;
                    // Twice only where the first record and what came of it fell apart.
                    let apart = matches!(fault, Fault::KillAfter | Fault::FailAfter)
                        || (at_store && fault == Fault::KillBefore);
                    assert!(ending.recorded <= 1 + usize::from(apart), "{ending:?}");
                    call += 1;
                }
                assert!(call > usize::from(at_store), "{kind:?} {fault:?}: {call}");
            }
        }
    }
    let cases: u32 = endings.values().sum();
    println!("AUD-1 over two systems: {cases} cases, {endings:?}");
    assert!(cases > 100, "{cases}");
    assert!(endings.len() >= 4, "{endings:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_more_is_changed_while_an_event_waits() {
    let stand = Stand::new();
    let (secrets, other) = (stand.process(), stand.process());
    act(&secrets, Act::First).await.unwrap();
    stand.outbox.faults.at(0, Fault::Outage);
    for _ in 0..3 {
        let refused = act(&secrets, Act::Next).await;
        assert!(matches!(refused, Err(OrgSecretError::Trail(_))));
    }
    assert_eq!(newest(&stand).await, Some(2));
    assert!(matches!(
        secrets.settle().await,
        Err(OrgSecretError::Trail(_))
    ));
    // Another process leaves it alone until it is abandoned; others than that organization go on.
    let busy = act(&other, Act::Next).await;
    assert!(matches!(busy, Err(OrgSecretError::Busy)));
    assert_eq!(other.settle().await.unwrap(), 0);
    stand.outbox.faults.none();
    let put = other.put(&ctx(GLOBEX), &name("a"), &value("x"), None).await;
    put.unwrap();
    act(&secrets, Act::Next).await.unwrap();
    let acme = ctx(ACME).org();
    let events = stand.events().await;
    let own = events.iter().filter(|event| event.org == Some(acme));
    let told: Vec<i64> = own.map(count).collect();
    assert_eq!(told, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_took_too_long_to_begin_changes_nothing() {
    #[derive(Debug)]
    struct Slow(Arc<ManualClock>);
    impl cyprob_core::ports::Clock for Slow {
        fn now(&self) -> Timestamp {
            self.0.advance(Duration::from_secs(11));
            self.0.now()
        }
    }
    let stand = Stand::new();
    let slow = OrgSecrets::new(OrgSecretsParts {
        store: Arc::clone(&stand.store) as _,
        base: "orgs".parse().unwrap(),
        outbox: Arc::clone(&stand.outbox) as _,
        keeping: Keeping::DEFAULT,
        limits: OrgSecretLimits::default(),
        clock: Arc::new(Slow(Arc::clone(&stand.clock))),
        entropy: Arc::new(SystemEntropy),
    });
    let refused = act(&slow, Act::First).await;
    assert!(matches!(refused, Err(OrgSecretError::Busy)));
    // Nor where its note, put by the fifth call of the store, stays at the seventh.
    stand.store.faults.at(6, Fault::FailBefore);
    let refused = act(&slow, Act::First).await;
    assert!(matches!(refused, Err(OrgSecretError::Busy)), "{refused:?}");
    assert!(stand.store.faults.calls() > 7);
    assert_eq!(newest(&stand).await, None);
    assert!(stand.events().await.is_empty());
}
