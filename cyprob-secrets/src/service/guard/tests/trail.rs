//! A trail that is slow, fails, or is flooded.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use cyprob_core::domain::{EventId, OrgId};
use cyprob_core::ports::Clock as _;
use cyprob_core::ports::store::{Outbox, StoreError};

use super::*;
use crate::testkit::block_on;

fn text(event: &AuditEvent, field: &str) -> Option<String> {
    match event.metadata.get(field)? {
        MetaValue::Public { value } => Some(value.clone()),
        MetaValue::Count { value } => Some(value.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_that_may_be_told_twice_names_its_first_telling() {
    let stand = stand([Act::Give(1)]);
    for _ in 0..5 {
        stand.read("mailer").await.unwrap();
    }
    // The trail takes it, and says that it does not.
    stand.outbox.faults.at(0, Fault::FailAfter);
    assert!(stand.trail.close().await.is_err());
    for _ in 0..2 {
        stand.read("mailer").await.unwrap();
    }
    stand.trail.close().await.unwrap();
    let events = stand.events().await;
    let numbers: Vec<_> = events[1..]
        .iter()
        .map(|event| (text(event, "reads").unwrap(), text(event, "again")))
        .collect();
    let first = events[1].id.to_string();
    let expected = [("4", None), ("4", Some(first)), ("2", None)];
    assert_eq!(
        numbers,
        expected.map(|(reads, again)| (reads.to_owned(), again))
    );
    let ids: std::collections::BTreeSet<_> = events.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), events.len(), "a log takes each id once");
}

/// An outbox that takes its time.
#[derive(Debug)]
struct Slow {
    inner: Database,
    seconds: AtomicU64,
}

/// So long that it panics.
const DEADLY: u64 = 100;

#[async_trait]
impl Outbox for Slow {
    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        let seconds = self.seconds.load(Ordering::SeqCst);
        assert!(seconds < DEADLY, "a panic, as the test says");
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        self.inner.record(events).await
    }

    async fn pending(&self, limit: usize) -> Result<Vec<AuditEvent>, StoreError> {
        self.inner.pending(limit).await
    }

    async fn waiting(
        &self,
        org: Option<OrgId>,
        from: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        self.inner.waiting(org, from, limit).await
    }

    async fn discard(&self, events: &[EventId]) -> Result<(), StoreError> {
        self.inner.discard(events).await
    }
}

/// A stand whose trail takes so long.
fn slow(seconds: u64) -> (Stand, Arc<Slow>) {
    let mut stand = stand([Act::Give(1)]);
    let outbox = Arc::new(Slow {
        inner: Database::new(),
        seconds: AtomicU64::new(seconds),
    });
    stand.trail = ReadTrail::new(
        Arc::clone(&outbox) as _,
        Arc::clone(&stand.clock) as _,
        Arc::new(SystemEntropy),
        ReadTrail::WINDOW,
    );
    stand.guard.trail = stand.trail.clone();
    (stand, outbox)
}

#[tokio::test(start_paused = true)]
async fn sec_2_what_changed_while_the_trail_was_told_is_not_given_out() {
    // Withdrawn, rotated, and out of reach until it is past its bound.
    for (act, passed, given) in [
        (Act::Nothing, 0, "nothing"),
        (Act::Refuse, 0, "refused"),
        (Act::Give(2), 0, "2"),
        (Act::Fail, 1_000_000, "unavailable"),
    ] {
        let (stand, outbox) = slow(3);
        let reading = stand.read("mailer");
        let change = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            stand.source.now([act]);
            match passed {
                0 => stand.guard.reader.forget(&stand.secret),
                seconds => stand.clock.advance(Duration::from_secs(seconds)),
            }
        };
        let (read, ()) = tokio::join!(reading, change);
        let said = match &read {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(served)) => served.version().unwrap().to_string(),
            Err(GuardError::Secret(SecretError::Unavailable { .. })) => "unavailable".to_owned(),
            Err(GuardError::Secret(_)) => "refused".to_owned(),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(said, given);
        let told = outbox.pending(10).await.unwrap();
        let versions: Vec<_> = told
            .iter()
            .filter_map(|event| text(event, "version"))
            .collect();
        let expected: &[&str] = if given == "2" { &["1", "2"] } else { &["1"] };
        assert_eq!(versions, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_the_trail() {
    let (stand, _outbox) = slow(60);
    let begun = tokio::time::Instant::now();
    for who in ["mailer", "exporter"] {
        let read = stand.read(who).await;
        assert!(matches!(read, Err(GuardError::Trail(_))), "{read:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(11));
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_takes_no_room_from_who_reads() {
    let stand = stand([Act::Give(1)]);
    for n in 0..10_100 {
        let secret = format!("local://n{n}").parse().unwrap();
        let refused = stand.guard.read(&Caller::system("exporter"), &secret).await;
        assert!(matches!(refused, Err(GuardError::Denied)));
        if n % 500 == 0 {
            let ids: Vec<_> = stand.events().await.iter().map(|event| event.id).collect();
            stand.outbox.discard(&ids).await.unwrap();
        }
    }
    for _ in 0..100 {
        stand.read("mailer").await.unwrap();
    }
    let events = stand.outbox.pending(20_000).await.unwrap();
    let given = events
        .iter()
        .filter(|event| event.outcome == Outcome::Success);
    assert_eq!(given.count(), 1);
}

#[test]
fn outside_of_a_runtime_nothing_is_given_and_nothing_breaks() {
    let stand = stand([Act::Give(1)]);
    let refused = block_on(stand.read("exporter"));
    assert!(matches!(refused, Err(GuardError::Trail(_))), "{refused:?}");
    assert!(block_on(stand.trail.close()).is_err());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let read = runtime.unwrap().block_on(stand.read("mailer"));
    assert!(read.unwrap().is_some());
}

#[tokio::test]
async fn a_closing_that_dies_is_an_error() {
    let (stand, outbox) = slow(0);
    for _ in 0..2 {
        stand.read("mailer").await.unwrap();
    }
    outbox.seconds.store(DEADLY, Ordering::SeqCst);
    assert!(stand.trail.close().await.is_err());
    outbox.seconds.store(0, Ordering::SeqCst);
    stand.trail.close().await.unwrap();
    let events = outbox.pending(10).await.unwrap();
    let reads: Vec<_> = events
        .iter()
        .filter_map(|event| text(event, "reads"))
        .collect();
    assert_eq!(reads, ["1"], "what it held is counted still");
}

#[tokio::test(start_paused = true)]
async fn windows_are_closed_again_after_who_closed_them_died() {
    let (stand, outbox) = slow(0);
    for _ in 0..2 {
        stand.read("mailer").await.unwrap();
    }
    outbox.seconds.store(DEADLY, Ordering::SeqCst);
    stand.window().await;
    outbox.seconds.store(0, Ordering::SeqCst);
    // A first read, in a window of its own, begins it anew.
    stand.read("mailer").await.unwrap();
    stand.window().await;
    let events = outbox.pending(10).await.unwrap();
    let reads: Vec<_> = events
        .iter()
        .filter_map(|event| text(event, "reads"))
        .collect();
    assert_eq!(reads, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_opens_another_window() {
    let stand = stand([Act::Give(1)]);
    stand.clock.advance(Duration::from_secs(1_000_000));
    stand.read("mailer").await.unwrap();
    stand.guard.reader.forget(&stand.secret);
    stand
        .clock
        .set(stand.clock.now().before(Duration::from_secs(3_600)));
    stand.read("mailer").await.unwrap();
    assert_eq!(stand.told().await, [given("1", 0), given("1", 0)]);
}
