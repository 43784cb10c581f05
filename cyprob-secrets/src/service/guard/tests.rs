mod trail;

use std::time::Duration;

use cyprob_core::adapters::memory::MemoryStore as Database;
use cyprob_core::adapters::system::SystemEntropy;
use cyprob_core::domain::audit::{Action, AuditEvent, MetaValue, Outcome};
use cyprob_core::ports::store::Outbox as _;
use cyprob_core::testkit::ManualClock;
use secrecy::ExposeSecret as _;

use super::*;
use crate::adapters::grants::{Grantee, SecretGrants};
use crate::domain::Keeping;
use crate::service::SecretResolver;
use crate::testkit::canary::shows;
use crate::testkit::faults::{Fault, FaultyOutbox};
use crate::testkit::scripted::{Act, Scripted};

struct Stand {
    source: Arc<Scripted>,
    outbox: Arc<FaultyOutbox>,
    clock: Arc<ManualClock>,
    trail: ReadTrail,
    guard: SecretGuard,
    secret: SecretRef,
}

fn stand(acts: impl IntoIterator<Item = Act>) -> Stand {
    let source = Arc::new(Scripted::new(acts, Duration::from_millis(10)));
    let outbox = Arc::new(FaultyOutbox::new(Arc::new(Database::new())));
    let clock = Arc::new(ManualClock::default());
    let sources = SecretResolver::new()
        .with(Arc::clone(&source) as _)
        .unwrap();
    let reader = SecretReader::new(sources, Keeping::DEFAULT, Arc::clone(&clock) as _);
    let trail = ReadTrail::new(
        Arc::clone(&outbox) as _,
        Arc::clone(&clock) as _,
        Arc::new(SystemEntropy),
        ReadTrail::WINDOW,
    );
    let secret: SecretRef = "local://a".parse().unwrap();
    let grants = SecretGrants::new().allow(Grantee::System("mailer".to_owned()), &secret);
    Stand {
        guard: SecretGuard::new(reader, Arc::new(grants), trail.clone()),
        source,
        outbox,
        clock,
        trail,
        secret,
    }
}

impl Stand {
    async fn read(&self, who: &str) -> Result<Option<Served>, GuardError> {
        self.guard.read(&Caller::system(who), &self.secret).await
    }

    async fn events(&self) -> Vec<AuditEvent> {
        self.outbox.pending(10_000).await.unwrap()
    }

    /// Who, how it ended, which version and how many reads more, of each event.
    async fn told(&self) -> Vec<(String, Outcome, Option<String>, u64)> {
        let text = |event: &AuditEvent, field: &str| match event.metadata.get(field) {
            Some(MetaValue::Public { value }) => Some(value.clone()),
            Some(MetaValue::Count { value }) => Some(value.to_string()),
            None => None,
            other => panic!("{other:?}"),
        };
        let events = self.events().await;
        let told = events.iter().map(|event| {
            assert_eq!(event.action, Action::SecretRead);
            assert_eq!(event.resource.id, "local://a");
            let reads = text(event, "reads").map_or(0, |reads| reads.parse().unwrap());
            (
                event.actor.id().unwrap(),
                event.outcome,
                text(event, "version"),
                reads,
            )
        });
        told.collect()
    }

    /// Lets the window end, and the trail notice.
    async fn window(&self) {
        self.clock.advance(ReadTrail::WINDOW);
        tokio::time::sleep(ReadTrail::WINDOW).await;
    }
}

fn given(version: &str, reads: u64) -> (String, Outcome, Option<String>, u64) {
    let version = Some(version.to_owned());
    ("mailer".to_owned(), Outcome::Success, version, reads)
}

#[tokio::test(start_paused = true)]
async fn the_first_read_is_recorded_and_the_others_are_counted() {
    let stand = stand([Act::Give(1)]);
    for _ in 0..100 {
        assert!(stand.read("mailer").await.unwrap().is_some());
    }
    assert_eq!(stand.told().await, [given("1", 0)]);
    stand.window().await;
    assert_eq!(stand.told().await, [given("1", 0), given("1", 99)]);
    // A window without a second read says nothing more.
    stand.read("mailer").await.unwrap();
    stand.window().await;
    stand.window().await;
    assert_eq!(stand.told().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn another_version_is_another_read() {
    let stand = stand([Act::Give(1), Act::Give(2)]);
    stand.read("mailer").await.unwrap();
    stand.guard.reader.forget(&stand.secret);
    stand.read("mailer").await.unwrap();
    assert_eq!(stand.told().await, [given("1", 0), given("2", 0)]);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_read_gets_nothing_and_is_recorded() {
    let stand = stand([Act::Give(1)]);
    for _ in 0..10 {
        assert!(matches!(
            stand.read("exporter").await,
            Err(GuardError::Denied)
        ));
    }
    assert_eq!(stand.source.asked(), 0, "not even whether it is there");
    stand.trail.close().await.unwrap();
    let denied = |reads| ("exporter".to_owned(), Outcome::Denied, None, reads);
    assert_eq!(stand.told().await, [denied(0), denied(9)]);
    let events = stand.events().await;
    assert_eq!(events[0].reason.as_deref(), Some("not_granted"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_given_that_the_trail_does_not_take() {
    let stand = stand([Act::Give(1)]);
    for fault in [Fault::FailBefore, Fault::FailAfter] {
        stand.outbox.faults.at(0, fault);
        let refused = stand.read("mailer").await;
        assert!(matches!(refused, Err(GuardError::Trail(_))), "{refused:?}");
    }
    // It heals without anything, and what may be recorded twice is a read and never a count.
    assert!(stand.read("mailer").await.unwrap().is_some());
    assert_eq!(stand.told().await, [given("1", 0), given("1", 0)]);
    let events = stand.events().await;
    // Tried before both of them, at the first fault.
    let again = events.iter().map(|event| event.metadata.get("again"));
    let again: Vec<_> = again.map(|again| again.cloned().unwrap()).collect();
    assert_eq!(again[0], again[1]);
}

#[tokio::test(start_paused = true)]
async fn numbers_wait_until_the_trail_takes_them() {
    let stand = stand([Act::Give(1)]);
    for _ in 0..5 {
        stand.read("mailer").await.unwrap();
    }
    stand.outbox.faults.at(0, Fault::FailBefore);
    assert!(stand.trail.close().await.is_err());
    stand.read("mailer").await.unwrap();
    stand.trail.close().await.unwrap();
    stand.trail.close().await.unwrap();
    let told = stand.told().await;
    assert_eq!(told, [given("1", 0), given("1", 4), given("1", 1)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_recorded() {
    let stand = stand([Act::Nothing]);
    assert!(stand.read("mailer").await.unwrap().is_none());
    stand.source.now([Act::Fail]);
    assert!(matches!(
        stand.read("mailer").await,
        Err(GuardError::Secret(_))
    ));
    assert!(stand.told().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_read_is_recorded_or_counted_once_whatever_runs_at_once() {
    const EACH: u64 = 2_000;
    let stand = Arc::new(stand([Act::Give(1)]));
    let readers = (0..8).map(|_| {
        let stand = Arc::clone(&stand);
        tokio::spawn(async move {
            for n in 0..EACH {
                stand.read("mailer").await.unwrap();
                if n % 100 == 0 {
                    stand.trail.close().await.unwrap();
                }
                if n % 250 == 0 {
                    stand.clock.advance(Duration::from_secs(20));
                }
            }
        })
    });
    for reader in readers.collect::<Vec<_>>() {
        reader.await.unwrap();
    }
    stand.trail.close().await.unwrap();
    let told = stand.told().await;
    let counted: u64 = told.iter().map(|(.., reads)| (*reads).max(1)).sum();
    assert_eq!(counted, 8 * EACH, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn neither_the_trail_nor_an_error_shows_the_value() {
    let stand = stand([Act::Give(1)]);
    let served = stand.read("mailer").await.unwrap().unwrap();
    let denied = stand.read("exporter").await.unwrap_err();
    let all = format!(
        "{:?} {:?} {served:?} {denied:?} {denied}",
        stand.events().await,
        stand.guard
    );
    let value = served.secret().value.to_line().unwrap();
    assert!(!shows(&all, value.expose_secret()));
}
