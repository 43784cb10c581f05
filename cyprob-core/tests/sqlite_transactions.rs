//! What other crates build on: transactions that carry their events, and migrations of their own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking"
)]

use std::borrow::Cow;

use cyprob_core::adapters::sql::WrongLog;
use cyprob_core::adapters::sqlite::{OpenError, SqliteOptions, SqliteStore};
use cyprob_core::domain::audit::{Action, AuditEvent, Resource};
use cyprob_core::domain::{Caller, CtxIssuer, OrgCtx, OrgId, RoleName, SystemCtx, Timestamp};
use cyprob_core::ports::EntropyExt;
use cyprob_core::ports::store::{BootstrapStore, Outbox};
use cyprob_core::testkit::SeededEntropy;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqlStr};

const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

async fn fresh() -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cyprob.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default()).await;
    (store.unwrap(), folder)
}

struct World {
    entropy: SeededEntropy,
    issuer: CtxIssuer,
}

impl World {
    fn new() -> Self {
        Self {
            entropy: SeededEntropy::new(3),
            issuer: CtxIssuer::for_composition(),
        }
    }

    fn ctx(&self) -> OrgCtx {
        let org: OrgId = self.entropy.id(AT);
        self.issuer.org(org, RoleName::OWNER, Caller::operator())
    }

    fn event(&self) -> AuditEvent {
        let on = Resource::new("thing", "one");
        let caller = Caller::operator();
        AuditEvent::new(self.entropy.id(AT), AT, &caller, Action::RunCreated, on)
    }
}

fn system() -> SystemCtx {
    SystemCtx::new("test", "to test")
}

fn migrator(steps: &[(i64, &'static str)]) -> Migrator {
    let steps = steps.iter().map(|(version, text)| {
        let text: SqlStr = text.into_sql_str();
        Migration::new(
            *version,
            Cow::Borrowed("step"),
            MigrationType::Simple,
            text,
            false,
        )
    });
    Migrator::with_migrations(steps.collect())
}

const JOBS: (i64, &str) = (
    1,
    "CREATE TABLE jobs (org_id BLOB NOT NULL, name TEXT NOT NULL, PRIMARY KEY (org_id, name)) STRICT",
);
const LATER: (i64, &str) = (2, "ALTER TABLE jobs ADD COLUMN due INTEGER");

async fn jobs(store: &SqliteStore) -> i64 {
    let mut read = store.system_read(&system()).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM jobs")
        .fetch_one(read.connection())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_change_and_its_event_are_one() {
    let (store, _folder) = fresh().await;
    let world = World::new();
    store
        .migrate("jobs", "_jobs_migrations", migrator(&[JOBS]))
        .await
        .unwrap();
    let ctx = world.ctx();
    let mut signal = store.outbox_signal();
    signal.mark_unchanged();
    for commits in [false, true] {
        let mut tx = store.org_tx(&ctx).await.unwrap();
        assert_eq!(tx.org(), ctx.org());
        sqlx::query("INSERT INTO jobs (org_id, name) VALUES ($1, $2)")
            .bind(tx.org().as_bytes().to_vec())
            .bind("one")
            .execute(tx.connection())
            .await
            .unwrap();
        tx.record(&world.event().in_org(ctx.org())).await.unwrap();
        if commits {
            tx.commit().await.unwrap();
        } else {
            drop(tx);
        }
        let expected = usize::from(commits);
        assert_eq!(store.pending(10).await.unwrap().len(), expected);
        assert_eq!(jobs(&store).await, i64::from(commits));
        assert_eq!(signal.has_changed().unwrap(), commits);
    }
}

#[tokio::test]
async fn an_event_of_another_log_is_refused_and_the_transaction_goes_on() {
    let (store, _folder) = fresh().await;
    let world = World::new();
    let (ours, theirs) = (world.ctx(), world.ctx());
    let mut tx = store.org_tx(&ours).await.unwrap();
    for event in [world.event(), world.event().in_org(theirs.org())] {
        let refused = tx.record(&event).await;
        assert!(matches!(refused, Err(WrongLog::OtherOrg)), "{refused:?}");
    }
    let good = world.event().in_org(ours.org());
    tx.record(&good).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.pending(10).await.unwrap(), [good]);
}

#[tokio::test]
async fn taken_events_are_gone_with_the_commit_alone_and_in_order() {
    let (store, _folder) = fresh().await;
    let world = World::new();
    let events: Vec<_> = (0..10).map(|_| world.event()).collect();
    store.record(&events).await.unwrap();
    let ids: Vec<_> = events.iter().map(|event| event.id).collect();
    let mut tx = store.system_tx(&system()).await.unwrap();
    assert_eq!(tx.take_outbox(&ids[..4]).await.unwrap(), events[..4]);
    assert_eq!(
        tx.take_outbox(&[ids[5], ids[4], ids[0]]).await.unwrap(),
        events[4..6]
    );
    assert_eq!(tx.take_outbox(&[]).await.unwrap(), []);
    drop(tx);
    assert_eq!(store.pending(100).await.unwrap(), events);
    let mut signal = store.outbox_signal();
    signal.mark_unchanged();
    let mut tx = store.system_tx(&system()).await.unwrap();
    assert_eq!(tx.take_outbox(&ids[..9]).await.unwrap(), events[..9]);
    tx.commit().await.unwrap();
    assert!(!signal.has_changed().unwrap(), "taking is no recording");
    assert_eq!(store.pending(100).await.unwrap(), events[9..]);
    let late = world.event();
    let mut tx = store.system_tx(&system()).await.unwrap();
    tx.record(&late).await.unwrap();
    assert_eq!(
        tx.take_outbox(&[late.id, ids[9]]).await.unwrap(),
        [events[9].clone(), late.clone()]
    );
    tx.commit().await.unwrap();
    assert_eq!(store.pending(100).await.unwrap(), []);
}

#[tokio::test]
async fn a_read_sees_one_state_and_writes_nothing() {
    let (store, _folder) = fresh().await;
    let world = World::new();
    store
        .migrate("jobs", "_jobs_migrations", migrator(&[JOBS]))
        .await
        .unwrap();
    let ctx = world.ctx();
    let mut read = store.org_read(&ctx).await.unwrap();
    assert_eq!(read.org(), ctx.org());
    let count = "SELECT count(*) FROM audit_outbox";
    let before: i64 = sqlx::query_scalar(count)
        .fetch_one(read.connection())
        .await
        .unwrap();
    store.record(&[world.event()]).await.unwrap();
    let after: i64 = sqlx::query_scalar(count)
        .fetch_one(read.connection())
        .await
        .unwrap();
    assert_eq!((before, after), (0, 0), "a read saw a later commit");
    let written = sqlx::query("DELETE FROM audit_outbox")
        .execute(read.connection())
        .await;
    assert!(written.is_err());
    drop(read);
    assert_eq!(store.pending(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn each_component_migrates_by_itself_and_refuses_a_newer_schema() {
    let (store, _folder) = fresh().await;
    let migrate = async |steps: &[(i64, &'static str)]| {
        store
            .migrate("jobs", "_jobs_migrations", migrator(steps))
            .await
    };
    migrate(&[JOBS]).await.unwrap();
    migrate(&[JOBS]).await.unwrap();
    migrate(&[JOBS, LATER]).await.unwrap();
    let older = migrate(&[JOBS]).await;
    let Err(OpenError::Newer {
        component: "jobs",
        found: 2,
        known: 1,
    }) = older
    else {
        panic!("{older:?}")
    };
    let edited = migrate(&[(1, "CREATE TABLE jobs (other TEXT) STRICT"), LATER]).await;
    assert!(
        matches!(
            edited,
            Err(OpenError::Migration {
                component: "jobs",
                ..
            })
        ),
        "{edited:?}"
    );
    let broken = (
        3,
        "CREATE TABLE more (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1)",
    );
    let failed = migrate(&[JOBS, LATER, broken]).await;
    assert!(
        matches!(failed, Err(OpenError::Migration { .. })),
        "{failed:?}"
    );
    // What failed left nothing, and a mended step is taken.
    let mended = (3, "CREATE TABLE more (x INTEGER) STRICT");
    migrate(&[JOBS, LATER, mended]).await.unwrap();
    assert!(!store.is_bootstrapped().await.unwrap());
}

#[tokio::test]
async fn a_transaction_keeps_other_processes_out_after_the_store_is_gone() {
    let (store, folder) = fresh().await;
    let world = World::new();
    let path = folder.path().join("cyprob.db");
    let mut tx = store.system_tx(&system()).await.unwrap();
    drop(store);
    let second = SqliteStore::open(&path, &SqliteOptions::default()).await;
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    tx.record(&world.event()).await.unwrap();
    tx.commit().await.unwrap();
    let reopened = SqliteStore::open(&path, &SqliteOptions::default())
        .await
        .unwrap();
    assert_eq!(reopened.pending(10).await.unwrap().len(), 1);
}

/// SQLite takes a transaction back by itself when the disk is full; the store goes on after that.
#[tokio::test]
async fn a_transaction_that_sqlite_took_back_spoils_no_other() {
    let (store, _folder) = fresh().await;
    let world = World::new();
    for _ in 0..3 {
        let mut tx = store.system_tx(&system()).await.unwrap();
        let event = world.event();
        tx.record(&event).await.unwrap();
        sqlx::query("CREATE TEMP TRIGGER full BEFORE DELETE ON audit_outbox BEGIN SELECT RAISE(ROLLBACK, 'full'); END")
            .execute(tx.connection())
            .await
            .unwrap();
        let failed = tx.take_outbox(&[event.id]).await;
        assert!(failed.is_err(), "{failed:?}");
        let lost = tx.commit().await;
        assert!(lost.is_err(), "{lost:?}");
        assert_eq!(store.pending(10).await.unwrap(), []);
    }
    let mut tx = store.system_tx(&system()).await.unwrap();
    tx.record(&world.event()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.pending(10).await.unwrap().len(), 1);
}
