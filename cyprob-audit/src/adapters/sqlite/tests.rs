use std::sync::Arc;

use cyprob_core::adapters::sqlite::{SqliteOptions, SqliteStore};
use cyprob_core::domain::Timestamp;
use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::ports::store::Outbox as _;
use cyprob_core::ports::{Clock, Entropy};
use secrecy::SecretBox;

use super::*;
use crate::adapters::directory::{DirectoryLog, DirectorySink};
use crate::adapters::memory::MemorySubjectKeys;
use crate::domain::{LogId, Origins};
use crate::ports::LogStore as _;
use crate::service::Sequencer;
use crate::service::verify::{Options, verify_log};
use crate::testkit::events;

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_767_229_200)
    }
}

#[derive(Debug)]
struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, out: &mut [u8]) {
        out.fill(9);
    }
}

async fn open(directory: &std::path::Path) -> (SqliteStore, SqliteLogStore) {
    let path = directory.join("cyprob.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default())
        .await
        .unwrap();
    let logs = SqliteLogStore::open(store.clone()).await.unwrap();
    (store, logs)
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
async fn events_go_from_outbox_to_verified_files_across_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let published = tempfile::tempdir().unwrap();
    let events = mixed(700);
    let org = LogId::of(events[1].org);
    for (at, batch) in events.chunks(175).enumerate() {
        // Each round is a new process, as far as the stores can tell.
        let (store, logs) = open(directory.path()).await;
        store.record(batch).await.unwrap();
        let sink = DirectorySink::new(published.path());
        let sequencer = Sequencer::new(
            Arc::new(logs.clone()),
            Arc::new(MemorySubjectKeys::new(Arc::new(Fixed))),
            Arc::new(DirectorySink::new(published.path())),
            Arc::new(Still),
            Origins::new("audit.example.com").unwrap(),
            SecretBox::new(Box::new([5; 32])),
        );
        sequencer.recover().await.unwrap();
        assert_eq!(sequencer.step().await.unwrap().placed, batch.len());
        assert_eq!(store.pending(10).await.unwrap(), []);
        assert_eq!(logs.logs().await.unwrap(), [LogId::System, org]);
        let mut entries = 0;
        for log in [LogId::System, org] {
            let files = DirectoryLog::open(&sink.path_of(log)).unwrap();
            let key = sequencer.signer(log).unwrap().verifier().clone();
            let report = verify_log(&files, &Options::new(key, Still.now()), &mut |_| {}).unwrap();
            assert_eq!(report.first_failure(), None, "{report:?}");
            assert_eq!(report.size, Some(logs.size(log).await.unwrap()));
            entries += report.size.unwrap();
        }
        assert_eq!(entries, (at as u64 + 1) * 175);
        store.close().await;
    }
}

/// Counts up, so that no two keys are alike.
#[derive(Debug, Default)]
struct Counting(std::sync::atomic::AtomicU8);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) {
        out.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }
}

#[tokio::test]
async fn subject_keys_outlive_the_process_and_stay_in_their_place() {
    use cyprob_core::domain::{Id as _, UserId};
    use secrecy::ExposeSecret as _;
    use sqlx::Row as _;

    use crate::domain::KeyOwner;
    use crate::ports::SubjectKeys as _;
    let directory = tempfile::tempdir().unwrap();
    let kek = |n| SecretBox::new(Box::new([n; 32]));
    let entropy = Arc::new(Counting::default());
    let org = LogId::of(events(1)[0].org);
    let person = KeyOwner::Person(UserId::from_random(Still.now(), [1; 10]));
    let mut seen = Vec::new();
    for round in 0..2 {
        let (store, _) = open(directory.path()).await;
        let keys = SqliteSubjectKeys::new(store.clone(), entropy.clone(), kek(1));
        let mut at = 0;
        for log in [LogId::System, org] {
            for owner in [person, KeyOwner::Log] {
                let made = keys.obtain(log, owner, Still.now()).await.unwrap();
                let found = keys.find(log, made.id).await.unwrap().unwrap();
                assert_eq!(found.secret.expose_secret(), made.secret.expose_secret());
                let known = (made.id, *made.secret.expose_secret());
                if round == 0 {
                    assert!(!seen.contains(&known));
                    seen.push(known);
                } else {
                    assert_eq!(seen[at], known);
                }
                at += 1;
            }
        }
        assert!(keys.find(org, seen[0].0).await.unwrap().is_none());
        // Another deployment's key opens none, and no secret stands in the file in clear.
        let other = SqliteSubjectKeys::new(store.clone(), entropy.clone(), kek(2));
        assert!(other.find(LogId::System, seen[0].0).await.is_err());
        let system = cyprob_core::domain::SystemCtx::new("test", "looking");
        let mut tx = store.system_tx(&system).await.unwrap();
        let rows = sqlx::query("SELECT wrapped FROM audit_subject_keys")
            .fetch_all(tx.connection())
            .await
            .unwrap();
        assert_eq!(rows.len(), 4);
        for row in rows {
            let wrapped: Vec<u8> = row.get(0);
            assert!(
                seen.iter()
                    .all(|(_, secret)| !wrapped.windows(32).any(|w| w == secret))
            );
        }
        // A wrapped key that was moved to another owner opens no more.
        sqlx::query(
            "UPDATE audit_subject_keys SET org_id = x'01' WHERE org_id = zeroblob(16) AND owner = x''",
        )
        .execute(tx.connection())
        .await
        .unwrap();
        sqlx::query("UPDATE audit_subject_keys SET owner = x'' WHERE org_id = zeroblob(16)")
            .execute(tx.connection())
            .await
            .unwrap();
        if round == 1 {
            tx.commit().await.unwrap();
            assert!(
                keys.obtain(LogId::System, KeyOwner::Log, Still.now())
                    .await
                    .is_err()
            );
        } else {
            drop(tx);
        }
        store.close().await;
    }
}
