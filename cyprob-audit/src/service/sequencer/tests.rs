use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;
use cyprob_core::domain::audit::{AuditEvent, MetaValue};
use cyprob_core::ports::Entropy;

use super::*;
use crate::adapters::memory::{MemoryLogStore, MemorySink, MemorySubjectKeys};
use crate::domain::{Leaf, LogFile, TileFile};
use crate::ports::{Batch, NewEntry, Placed, Publication, TileSinkError};
use crate::service::verify::{Options, Verdict, verify_log};
use crate::testkit::events;

#[derive(Debug)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_767_225_600 + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[derive(Debug)]
struct Counting(AtomicI64);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) {
        let n = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        out.iter_mut()
            .zip(n.iter().cycle())
            .for_each(|(to, from)| *to = *from);
    }
}

/// A sink that fails while it is told to, before or after the files are there.
#[derive(Debug, Default)]
struct Failing {
    inner: MemorySink,
    fail: std::sync::Mutex<Option<bool>>,
}

#[async_trait]
impl TileSink for Failing {
    fn reopen(&self) {
        self.inner.reopen();
    }

    async fn checkpoint(&self, log: LogId) -> Result<Option<Vec<u8>>, TileSinkError> {
        self.inner.checkpoint(log).await
    }

    async fn stage(&self, log: LogId, files: Vec<TileFile>) -> Result<Publication, TileSinkError> {
        self.inner.stage(log, files).await
    }

    async fn publish(
        &self,
        log: LogId,
        files: Vec<TileFile>,
        checkpoint: Vec<u8>,
    ) -> Result<Publication, TileSinkError> {
        let fail = *self.fail.lock().unwrap();
        if fail == Some(true) {
            self.inner.publish(log, files, checkpoint).await?;
            return Err(TileSinkError::NoSpace { log });
        }
        if fail == Some(false) {
            return Err(TileSinkError::NoSpace { log });
        }
        self.inner.publish(log, files, checkpoint).await
    }
}

struct House {
    store: Arc<MemoryLogStore>,
    sink: Arc<Failing>,
    keys: Arc<MemorySubjectKeys>,
}

impl House {
    fn new() -> Self {
        Self {
            store: Arc::default(),
            sink: Arc::default(),
            keys: Arc::new(MemorySubjectKeys::new(Arc::new(Counting(AtomicI64::new(
                1,
            ))))),
        }
    }

    fn sequencer(&self) -> Sequencer {
        Sequencer::new(
            self.store.clone(),
            self.keys.clone(),
            self.sink.clone(),
            Arc::new(Ticking(AtomicI64::new(0))),
            Origins::new("audit.example.com").unwrap(),
            SecretBox::new(Box::new([5; 32])),
        )
    }

    async fn record(&self, events: &[AuditEvent]) {
        self.store.outbox().record(events).await.unwrap();
    }

    fn size(&self, log: LogId) -> u64 {
        let files = self.sink.inner.log(log).unwrap();
        let key = self.sequencer().signer(log).unwrap().verifier().clone();
        let options = Options::new(key, Timestamp::from_seconds(1_767_225_600));
        let report = verify_log(&files, &options, &mut |_| {}).unwrap();
        assert_eq!(report.integrity, Verdict::Held, "{report:?}");
        assert_eq!(report.completeness, Verdict::Held, "{report:?}");
        report.size.unwrap()
    }

    /// The ids of the events in a log, in its order.
    async fn ids(&self, log: LogId) -> Vec<String> {
        let leaves = self.store.leaves(log, 0, usize::MAX).await.unwrap();
        leaves
            .iter()
            .map(|leaf| Leaf::parse(leaf).unwrap().id.to_string())
            .collect()
    }
}

/// Events, every third of them in the system log.
fn mixed(count: u64) -> Vec<AuditEvent> {
    let mut events = events(count);
    events
        .iter_mut()
        .step_by(3)
        .for_each(|event| event.org = None);
    events
}

#[tokio::test]
async fn every_event_gets_one_place_in_its_log_in_order() {
    let house = House::new();
    let events = mixed(1_500);
    let org = LogId::of(events[1].org);
    let sequencer = house.sequencer();
    for batch in events.chunks(130) {
        house.record(batch).await;
        assert_eq!(
            sequencer.step().await.unwrap(),
            Step {
                placed: batch.len(),
                more: false
            }
        );
    }
    assert_eq!(sequencer.step().await.unwrap(), Step::default());
    assert_eq!((house.size(LogId::System), house.size(org)), (500, 1_000));
    for log in [LogId::System, org] {
        let expected: Vec<_> = events
            .iter()
            .filter(|event| LogId::of(event.org) == log)
            .map(|event| event.id.to_string())
            .collect();
        assert_eq!(house.ids(log).await, expected);
    }
    house.record(&super::tests::events(3_000)[1_500..]).await;
    let step = sequencer.step().await.unwrap();
    assert_eq!(
        step,
        Step {
            placed: Sequencer::BATCH,
            more: true
        }
    );
}

/// However a publication fails, and whether the same sequencer or a new one
/// goes on, the log ends with every event once, and no size gets two heads.
#[tokio::test]
async fn what_failed_is_gone_on_with() {
    for after in [true, false] {
        for fresh in [true, false] {
            let house = House::new();
            let events = events(700);
            let org = LogId::of(events[0].org);
            let mut sequencer = house.sequencer();
            let mut heads = BTreeSet::new();
            for (at, batch) in events.chunks(70).enumerate() {
                house.record(batch).await;
                if at % 3 == 1 {
                    *house.sink.fail.lock().unwrap() = Some(after);
                    assert!(matches!(
                        sequencer.step().await,
                        Err(SequencerError::Sink(_))
                    ));
                    *house.sink.fail.lock().unwrap() = None;
                    heads.insert(house.store.signed(org).await.unwrap().unwrap().checkpoint);
                    if fresh {
                        sequencer = house.sequencer();
                    }
                    sequencer.recover().await.unwrap();
                } else {
                    sequencer.step().await.unwrap();
                }
                let signed = house.store.signed(org).await.unwrap().unwrap();
                let files = house.sink.inner.log(org).unwrap();
                assert_eq!(
                    files.get(LogFile::Checkpoint),
                    Some(signed.checkpoint.as_slice())
                );
                heads.insert(signed.checkpoint);
                assert_eq!(house.size(org), (at as u64 + 1) * 70);
            }
            assert_eq!(heads.len(), 10);
            assert_eq!(house.ids(org).await.len(), 700);
        }
    }
}

#[tokio::test]
async fn a_second_sequencer_changes_nothing() {
    let house = House::new();
    let events = mixed(30);
    house.record(&events).await;
    let sealed = |event: &AuditEvent| NewEntry {
        event: event.clone(),
        leaf: event.id.to_string().into_bytes(),
        aside: None,
    };
    let batch = |first, events: &[AuditEvent]| Batch {
        log: LogId::System,
        first,
        entries: events.iter().map(sealed).collect(),
    };
    // Not the first of the outbox, not the log's size, an event twice.
    for wrong in [
        vec![batch(0, &events[1..3])],
        vec![batch(1, &events[..2])],
        vec![batch(0, &events[..2]), batch(2, &events[1..2])],
    ] {
        let placed = house.store.place(&wrong).await.unwrap();
        assert_eq!(placed, Placed::Moved);
        assert_eq!(house.store.size(LogId::System).await.unwrap(), 0);
        assert_eq!(house.store.pending(100).await.unwrap().len(), 30);
    }
    let (first, second) = (house.sequencer(), house.sequencer());
    assert_eq!(first.step().await.unwrap().placed, 30);
    house.record(&super::tests::events(60)[30..]).await;
    assert_eq!(second.step().await.unwrap().placed, 30);
    let org = LogId::of(events[1].org);
    assert_eq!(house.size(org), 50);
    // The first goes on from its own end with what the store holds; the second
    // finds a head signed that is not smaller, refuses, and then starts anew.
    house.record(&super::tests::events(90)[60..]).await;
    first.step().await.unwrap();
    let refused = second.recover().await;
    assert!(
        matches!(refused, Err(SequencerError::NotAlone)),
        "{refused:?}"
    );
    second.recover().await.unwrap();
    assert_eq!(house.size(org), 80);
    assert_eq!(house.ids(org).await.len(), 80);
}

#[tokio::test]
async fn a_lost_directory_is_written_anew() {
    let mut house = House::new();
    // More than one chunk, and the second changes no tile of level 1.
    let events = events(4_200);
    let org = LogId::of(events[0].org);
    house.record(&events).await;
    let sequencer = house.sequencer();
    while sequencer.step().await.unwrap().more {}
    let before = house.sink.inner.log(org).unwrap();
    house.sink = Arc::default();
    house.sequencer().recover().await.unwrap();
    assert_eq!(house.size(org), 4_200);
    let after = house.sink.inner.log(org).unwrap();
    for (file, bytes) in after.iter() {
        assert_eq!(before.get(file), Some(bytes), "{file}");
    }
    // A log that was left behind by more than is read at once is caught up by one step.
    let far = House::new();
    far.record(&super::tests::events(5_300)).await;
    let sequencer = far.sequencer();
    *far.sink.fail.lock().unwrap() = Some(false);
    for _ in 0..6 {
        assert!(sequencer.step().await.is_err());
    }
    *far.sink.fail.lock().unwrap() = None;
    assert_eq!(sequencer.step().await.unwrap(), Step::default());
    assert_eq!(far.size(org), 5_300);
    // A log that was left behind is caught up by the next step, with nothing new.
    let behind = House::new();
    behind.record(&events[..300]).await;
    let sequencer = behind.sequencer();
    *behind.sink.fail.lock().unwrap() = Some(false);
    assert!(sequencer.step().await.is_err());
    *behind.sink.fail.lock().unwrap() = None;
    assert_eq!(sequencer.step().await.unwrap(), Step::default());
    assert_eq!(behind.size(org), 300);
}

#[tokio::test]
async fn an_older_store_signs_nothing() {
    let mut house = House::new();
    let events = events(300);
    house.record(&events[..200]).await;
    house.sequencer().step().await.unwrap();
    // An older copy of the store under the published files: empty, or shorter.
    house.store = Arc::default();
    house.record(&events[..100]).await;
    let refused = house.sequencer().step().await;
    assert!(
        matches!(refused, Err(SequencerError::RolledBack { .. })),
        "{refused:?}"
    );
    let sink = std::mem::take(&mut house.sink);
    house.store = Arc::default();
    house.record(&events[..100]).await;
    house.sequencer().step().await.unwrap();
    house.sink = sink;
    house.record(&events[100..]).await;
    let refused = house.sequencer().step().await;
    assert!(
        matches!(refused, Err(SequencerError::RolledBack { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_foreign_or_forked_log_is_not_gone_on_with() {
    let mut house = House::new();
    let events = events(300);
    let org = LogId::of(events[0].org);
    house.record(&events[..100]).await;
    house.sequencer().step().await.unwrap();
    // Another log of the same size by the same key.
    let other = House::new();
    other.record(&events[100..200]).await;
    other.sequencer().step().await.unwrap();
    house.sink = other.sink;
    let refused = house.sequencer().recover().await;
    assert!(
        matches!(refused, Err(SequencerError::Diverged { .. })),
        "{refused:?}"
    );
    let forged = b"no checkpoint".to_vec();
    house
        .sink
        .inner
        .publish(org, Vec::new(), forged)
        .await
        .unwrap();
    let refused = house.sequencer().recover().await;
    assert!(
        matches!(refused, Err(SequencerError::Foreign { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_event_that_is_too_large_stops_nobody() {
    let house = House::new();
    let mut events = events(3);
    let org = LogId::of(events[0].org);
    events[1].resource.id = "x".repeat(100_000);
    events[1]
        .metadata
        .insert("big".to_owned(), MetaValue::public("y".repeat(100_000)));
    house.record(&events).await;
    house.sequencer().step().await.unwrap();
    assert_eq!(house.size(org), 3);
    let leaves = house.store.leaves(org, 1, 1).await.unwrap();
    let leaf = Leaf::parse(&leaves[0]).unwrap();
    assert_eq!(leaf.resource.id.len(), 1_024);
    assert!(leaf.metadata_sha256.is_some());
}
