//! What a commit promises, whatever happens to the caller, the process or the file.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test reports by panicking; the child process reports on its standard output"
)]

mod founded;

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cyprob_core::adapters::sqlite::{OpenError, SqliteOptions, SqliteStore};
use cyprob_core::domain::audit::{Action, AuditEvent, Resource};
use cyprob_core::domain::{
    Aal, Caller, RefreshKeyId, RefreshState, Session, SessionSeed, Timestamp, UseId, UsedToken,
    User,
};
use cyprob_core::ports::store::{Outbox, SessionStore, SpendOutcome, SpentStore, UserStore};
use cyprob_core::ports::{Entropy, EntropyExt};
use cyprob_core::testkit::SeededEntropy;
use founded::{AT, found};

async fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, &SqliteOptions::default()).await
}

fn event(entropy: &dyn Entropy) -> AuditEvent {
    let on = Resource::new("thing", "one");
    AuditEvent::new(
        entropy.id(AT),
        AT,
        &Caller::operator(),
        Action::AuditRead,
        on,
    )
}

fn session(user: &User, entropy: &dyn Entropy) -> Session {
    Session {
        id: entropy.id(AT),
        user: user.id,
        seed: SessionSeed::new(entropy.bytes()),
        refresh: RefreshState {
            generation: 0,
            key: RefreshKeyId::new(1),
            previous_key: None,
            rotated_at: AT,
        },
        credential_epoch: user.epoch,
        auth_time: AT,
        aal: Aal::One,
        created_at: AT,
        last_used_at: AT,
        idle_expires_at: Timestamp::from_seconds(AT.as_seconds() + 600),
        absolute_expires_at: Timestamp::from_seconds(AT.as_seconds() + 3_600),
        ended_at: None,
        client: None,
        ip_address: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_is_there_after_every_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let entropy = SeededEntropy::new(1);
    let store = open(&path).await.unwrap();
    let user = found(&store, &entropy).await;
    drop(store);
    let mut events = Vec::new();
    let mut sessions = Vec::new();
    for round in 0..20 {
        // Dropped without a word of farewell, every other time.
        let store = open(&path).await.unwrap();
        let (session, event) = (session(&user, &entropy), event(&entropy));
        let recorded = std::slice::from_ref(&event);
        assert!(store.open_session(&session, None, recorded).await.unwrap());
        events.push(event);
        sessions.push(session.id);
        if round % 2 == 0 {
            store.close().await;
        }
    }
    let store = open(&path).await.unwrap();
    assert!(store.user(user.id).await.unwrap().is_some());
    assert_eq!(store.pending(100).await.unwrap(), events);
    for id in sessions {
        assert!(store.session(id).await.unwrap().is_some());
    }
}

/// What is spent is spent for whoever opens the file next, though nobody said farewell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spent_use_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let token = SeededEntropy::new(1).id(AT);
    let two = ["a", "b"].map(|word| UseId::of(token, word));
    let end = AT.after(Duration::from_secs(900));
    for left in [
        SpendOutcome::Taken(two[0]),
        SpendOutcome::Taken(two[1]),
        SpendOutcome::AllSpent,
        SpendOutcome::AllSpent,
    ] {
        let store = open(&path).await.unwrap();
        let spent = store.spend(UsedToken::of(token), &two, end).await;
        assert_eq!(spent.unwrap(), left);
        drop(store);
    }
}

/// Callers that leave at any point: no transaction stays open, and each session has its event or neither is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_of_aborts_leaves_the_writer_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("db")).await.unwrap();
    let entropy = Arc::new(SeededEntropy::new(2));
    let user = found(&store, entropy.as_ref()).await;
    let mut all = Vec::new();
    let (mut aborted, mut done) = (0, 0);
    for _ in 0..30 {
        let mut tasks = Vec::new();
        for _ in 0..20 {
            let (session, event) = (session(&user, entropy.as_ref()), event(entropy.as_ref()));
            all.push((session.id, event.id));
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                store.open_session(&session, None, &[event]).await
            }));
        }
        for task in &tasks {
            let [steps, spared] = entropy.bytes();
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            if spared % 4 != 0 {
                task.abort();
            }
        }
        for task in tasks {
            match task.await {
                Ok(stored) => {
                    assert!(stored.unwrap());
                    done += 1;
                }
                Err(error) => {
                    assert!(error.is_cancelled());
                    aborted += 1;
                }
            }
        }
        // The next writer and the next reader are served as if nothing had been.
        let (session, event) = (session(&user, entropy.as_ref()), event(entropy.as_ref()));
        all.push((session.id, event.id));
        assert!(store.open_session(&session, None, &[event]).await.unwrap());
        assert!(store.session(session.id).await.unwrap().is_some());
        done += 1;
    }
    assert!(
        aborted >= 50 && done >= 50,
        "{aborted} aborted, {done} done"
    );
    let pending = store.pending(10_000).await.unwrap();
    let recorded: HashSet<_> = pending.iter().map(|event| event.id).collect();
    let mut stored = 0;
    for (session, event) in all {
        let there = store.session(session).await.unwrap().is_some();
        assert_eq!(
            there,
            recorded.contains(&event),
            "a session without its event"
        );
        stored += usize::from(there);
    }
    assert!(stored >= done, "{done} acknowledged, {stored} stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_leaves_a_commit_still_signals_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("db")).await.unwrap();
    let entropy = SeededEntropy::new(4);
    let signal = store.outbox_signal();
    let (mut left_and_stored, mut left_and_gone) = (0, 0);
    for _ in 0..1_000 {
        let (theirs, event) = (store.clone(), event(&entropy));
        let (id, before) = (event.id, *signal.borrow());
        let task = tokio::spawn(async move { theirs.record(&[event]).await });
        let [steps] = entropy.bytes();
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
        task.abort();
        let left = task.await.is_err();
        // A write of ours goes last: whatever theirs committed is there then.
        store.discard(&[]).await.unwrap();
        let pending = store.pending(10_000).await.unwrap();
        let stored = pending.iter().any(|event| event.id == id);
        if stored {
            assert_ne!(*signal.borrow(), before, "a commit without its signal");
        }
        left_and_stored += usize::from(left && stored);
        left_and_gone += usize::from(left && !stored);
        if left_and_stored >= 10 && left_and_gone >= 10 {
            return;
        }
    }
    panic!("callers left too early or too late: {left_and_stored} stored, {left_and_gone} gone");
}

const CHILD: &str = "CYPROB_TEST_DURABILITY_CHILD";

/// The other process: acknowledges each event on its standard output, until it is killed.
#[tokio::test]
#[ignore = "the other process of the test that kills it"]
async fn child() {
    let Ok(path) = std::env::var(CHILD) else {
        return;
    };
    let (path, seed) = path.rsplit_once('#').unwrap();
    let entropy = SeededEntropy::new(seed.parse().unwrap());
    let store = open(Path::new(path)).await.unwrap();
    println!("\nopen");
    for _ in 0..100_000 {
        let event = event(&entropy);
        let id = event.id;
        store.record(&[event]).await.unwrap();
        println!("{id}");
        std::io::stdout().flush().unwrap();
    }
}

/// SIGKILL at random moments loses nothing that was acknowledged, and the database opens again.
#[tokio::test]
async fn a_killed_process_loses_nothing_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let entropy = SeededEntropy::new(6);
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 1..=12_u8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "child",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(
                CHILD,
                format!("{}#{}", path.display(), 100 + u64::from(round)),
            )
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while lines.next().unwrap().unwrap() != "open" {}
        if round == 1 {
            let second = open(&path).await;
            assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
        }
        let [many] = entropy.bytes();
        let seen = lines.by_ref().take(usize::from(many % 48));
        acknowledged.extend(seen.map(Result::unwrap));
        child.kill().unwrap();
        acknowledged.extend(lines.map_while(Result::ok));
        child.wait().unwrap();
        let store = open(&path).await.unwrap();
        let pending = store.pending(100_000).await.unwrap();
        let ids: HashSet<String> = pending.iter().map(|event| event.id.to_string()).collect();
        // The last line may be torn: it was not acknowledged in whole.
        acknowledged.retain(|id| id.len() == 36);
        for id in &acknowledged {
            assert!(ids.contains(id), "round {round}: {id} is lost");
        }
        let system = cyprob_core::domain::SystemCtx::operator("to check the file");
        let mut read = store.system_read(&system).await.unwrap();
        let whole: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(read.connection())
            .await
            .unwrap();
        assert_eq!(whole, "ok");
    }
    assert!(acknowledged.len() >= 100, "only {}", acknowledged.len());
}
