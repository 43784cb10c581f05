//! Workers that die, hang or talk nonsense: the run is tried again, to one result, or is dead.

use std::time::Duration;

use cyprob_core::domain::audit::Action;
use cyprob_plugins::adapters::worker::{ProcessWorkers, WorkerCommand};
use cyprob_plugins::domain::RunState;
use rustix::process::{Pid, Signal, kill_process};

use crate::site::{Site, double, gone, process};

const LONG: Duration = Duration::from_secs(20);
/// Long enough for a debug build to read its job on a busy machine.
const SHORT: Duration = Duration::from_millis(1_500);

/// Both attempts are lost: the run is dead, with the reason of the last.
async fn dead(mode: &str, patience: Duration, reason: &str) {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new().await;
    let task = site.start(folder.path(), &[mode], patience).await;
    let id = site.ask().await;
    let run = site.ended(id).await;
    assert_eq!(run.state, RunState::Dead);
    assert!(
        run.error.as_ref().unwrap().contains(reason),
        "{:?}",
        run.error
    );
    assert!(site.findings(id).await.is_empty());
    assert_eq!(
        site.actions().await,
        [
            Action::RunCreated,
            Action::RunStarted,
            Action::RunRetried,
            Action::RunStarted,
            Action::RunDied
        ]
    );
    for attempt in 0..2 {
        gone(process(folder.path(), attempt).await).await;
    }
    task.stop().await;
}

macro_rules! dead {
    ($($name:ident $mode:literal, $patience:expr, $reason:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            dead($mode, $patience, $reason).await;
        }
    )*};
}

dead! {
    ends_at_once "exit", LONG, "ended before it reported: exit status: 3";
    ends_without_a_word "leave", LONG, "report cannot be read: the other side has closed";
    crashes "crash", LONG, "ended before it reported: signal: 9";
    reads_and_hangs "silent", SHORT, "took longer";
    hangs_and_never_reads "deaf", SHORT, "took longer";
    is_stopped "freeze", SHORT, "took longer";
    reports_slowly_for_ever "trickle", SHORT, "took longer";
    sends_garbage "garbage", LONG, "larger than";
    sends_words "words", LONG, "report cannot be read";
    speaks_another_version "version-2", LONG, "report cannot be read";
    sends_too_much "oversized", LONG, "larger than";
    sends_less_than_it_claims "short", LONG, "ends early";
}

#[tokio::test]
async fn the_offspring_of_a_worker_dies_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new().await;
    let task = site
        .start(folder.path(), &["offspring", "honest", "honest"], SHORT)
        .await;
    let id = site.ask().await;
    let run = site.ended(id).await;
    assert_eq!(run.state, RunState::Succeeded);
    // The second process is the offspring of the first, with its pipes in hand.
    for attempt in 0..3 {
        gone(process(folder.path(), attempt).await).await;
    }
    task.stop().await;
}

#[tokio::test]
async fn a_worker_dies_with_its_control_plane() {
    let folder = tempfile::tempdir().unwrap();
    let command = double(folder.path(), &["parent", "sleep"]);
    let mut parent = tokio::process::Command::new(command.program)
        .args(command.arguments)
        .spawn()
        .unwrap();
    let worker = process(folder.path(), 1).await;
    // By then it has its job; were it not so, it would end for want of one.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(std::path::Path::new(&format!("/proc/{worker}")).exists());
    parent.kill().await.unwrap();
    gone(worker).await;
}

#[tokio::test]
async fn no_such_program() {
    let site = Site::new().await;
    let workers = ProcessWorkers::new(WorkerCommand {
        program: "/nonexistent/worker".into(),
        arguments: Vec::new(),
    });
    let dispatcher = site.dispatcher(std::sync::Arc::new(workers), LONG);
    let task = dispatcher.start().await.unwrap();
    let id = site.ask().await;
    let run = site.ended(id).await;
    task.stop().await;
    assert_eq!(run.state, RunState::Dead);
    assert!(run.error.unwrap().contains("cannot be started"));
}

/// The first attempt is lost, the second succeeds: one result, and the trail tells of both.
async fn second_succeeds(first: &str, patience: Duration, meddle: Option<Signal>) {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new().await;
    let task = site
        .start(folder.path(), &[first, "honest"], patience)
        .await;
    let id = site.ask().await;
    if let Some(signal) = meddle {
        let pid = Pid::from_raw(process(folder.path(), 0).await).unwrap();
        // In the midst of its job, as far as it can be told from outside.
        tokio::time::sleep(Duration::from_millis(100)).await;
        kill_process(pid, signal).unwrap();
    }
    let run = site.ended(id).await;
    assert_eq!((run.state, run.error), (RunState::Succeeded, None));
    assert_eq!(site.findings(id).await.len(), 1);
    assert_eq!(
        site.actions().await,
        [
            Action::RunCreated,
            Action::RunStarted,
            Action::RunRetried,
            Action::RunStarted,
            Action::RunSucceeded
        ]
    );
    gone(process(folder.path(), 0).await).await;
    task.stop().await;
}

#[tokio::test]
async fn a_worker_that_crashes_is_replaced() {
    second_succeeds("crash", LONG, None).await;
}

#[tokio::test]
async fn a_worker_that_is_killed_from_outside_is_replaced() {
    second_succeeds("silent", LONG, Some(Signal::KILL)).await;
}

#[tokio::test]
async fn a_worker_that_is_stopped_past_its_deadline_is_replaced() {
    second_succeeds("silent", SHORT, Some(Signal::STOP)).await;
}

#[tokio::test]
async fn a_worker_that_freezes_is_replaced() {
    second_succeeds("freeze", SHORT, None).await;
}
