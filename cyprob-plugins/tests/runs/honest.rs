//! A worker that does its job.

use std::time::Duration;

use cyprob_core::domain::audit::Action;
use cyprob_plugins::domain::RunState;

use crate::site::{Site, gone, process};

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs one job with a worker that reports well, and does this beside.
async fn succeeds(mode: &str) -> (Site, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new().await;
    let task = site.start(folder.path(), &[mode], PATIENCE).await;
    let id = site.ask().await;
    let run = site.ended(id).await;
    task.stop().await;
    assert_eq!((run.state, &run.error), (RunState::Succeeded, &None));
    assert_eq!((run.counts.facts, run.counts.plugins), (2, 1));
    assert_eq!((run.counts.findings, run.counts.errors), (1, 0));
    let findings = site.findings(id).await;
    let found: serde_json::Value = serde_json::from_str(&findings[0]).unwrap();
    assert_eq!(found["target"], "scanned.example");
    assert_eq!(
        (&found["port"], &found["plugin"]),
        (&23.into(), &"telnet-open".into())
    );
    assert_eq!(
        (&found["severity"], &found["message"]),
        (&"high".into(), &"telnet is open".into())
    );
    assert_eq!(
        site.actions().await,
        [Action::RunCreated, Action::RunStarted, Action::RunSucceeded]
    );
    (site, folder)
}

#[tokio::test]
async fn a_run_succeeds_with_its_findings() {
    succeeds("honest").await;
}

#[tokio::test]
async fn what_a_worker_says_beside_its_report_is_thrown_away() {
    succeeds("chatter").await;
}

#[tokio::test]
async fn a_worker_that_stays_after_its_report_is_killed() {
    let (_site, folder) = succeeds("linger").await;
    gone(process(folder.path(), 0).await).await;
}

#[tokio::test]
async fn of_two_reports_the_first_is_taken() {
    let (_site, folder) = succeeds("more").await;
    gone(process(folder.path(), 0).await).await;
}

#[tokio::test]
async fn many_runs_succeed_each_in_a_process_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new().await;
    let task = site.start(folder.path(), &["honest"], PATIENCE).await;
    let mut runs = Vec::new();
    for _ in 0..12 {
        runs.push(site.ask().await);
    }
    for id in runs {
        assert_eq!(site.ended(id).await.state, RunState::Succeeded);
        assert_eq!(site.findings(id).await.len(), 1);
    }
    task.stop().await;
    let pids: std::collections::BTreeSet<_> = (0..12)
        .map(|n| std::fs::read_to_string(folder.path().join(format!("pid-{n}"))).unwrap())
        .collect();
    assert_eq!(pids.len(), 12);
    let actions = site.actions().await;
    for action in [Action::RunCreated, Action::RunStarted, Action::RunSucceeded] {
        assert_eq!(actions.iter().filter(|a| **a == action).count(), 12);
    }
}

#[tokio::test]
async fn a_worker_has_no_environment_no_files_and_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new().await;
    let task = site.start(folder.path(), &["abilities"], PATIENCE).await;
    let id = site.ask().await;
    let run = site.ended(id).await;
    task.stop().await;
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(
        run.error.as_deref(),
        Some(
            "variables 0, folder /, opens false, listens false, memory 1073741824, \
             output 0, files 3, core 0, time 600"
        )
    );
}

#[tokio::test]
async fn a_worker_that_takes_too_much_memory_ends_and_the_run_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new().await;
    let task = site.start(folder.path(), &["greedy"], PATIENCE).await;
    let id = site.ask().await;
    let run = site.ended(id).await;
    task.stop().await;
    assert_eq!(run.state, RunState::Dead);
    let error = run.error.unwrap();
    assert!(
        error.contains("the worker ended before it reported: signal: 6"),
        "{error}"
    );
}
