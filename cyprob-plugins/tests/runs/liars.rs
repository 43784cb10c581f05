//! Workers that report what is not so: nothing of it is taken.

use std::time::Duration;

use cyprob_core::domain::audit::Action;
use cyprob_plugins::domain::RunState;

use crate::site::Site;

/// A report that is refused is tried once more, then the run is dead with the reason, and has no findings.
async fn refused(modes: &[&str], code: &str, reason: &str) {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new().await;
    let task = site
        .start(folder.path(), modes, Duration::from_secs(20))
        .await;
    let id = site.ask().await;
    let run = site.ended(id).await;
    task.stop().await;
    assert_eq!(run.state, RunState::Dead);
    assert!(
        run.error.as_ref().unwrap().contains(reason),
        "{:?}",
        run.error
    );
    assert_eq!((run.counts.findings, run.counts.errors), (0, 0));
    assert!(site.findings(id).await.is_empty());
    let (refused, lost, no) = (code.to_owned(), "lost".to_owned(), String::new());
    let told = site.events().await;
    // The last attempt was refused with this code; the first may have been a crash.
    let expected = match modes {
        ["crash", _] => vec![
            (Action::RunCreated, no.clone()),
            (Action::RunStarted, no.clone()),
            (Action::RunRetried, lost),
            (Action::RunStarted, no.clone()),
            (Action::RunResultRefused, refused),
            (Action::RunDied, no),
        ],
        _ => vec![
            (Action::RunCreated, no.clone()),
            (Action::RunStarted, no.clone()),
            (Action::RunResultRefused, refused.clone()),
            (Action::RunRetried, lost),
            (Action::RunStarted, no.clone()),
            (Action::RunResultRefused, refused),
            (Action::RunDied, no),
        ],
    };
    assert_eq!(told, expected);
}

macro_rules! liars {
    ($($name:ident $modes:expr, $code:literal, $reason:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            refused(&$modes, $code, $reason).await;
        }
    )*};
}

liars! {
    a_forged_token ["forged-token"], "bad_token", "token is not good";
    the_token_of_the_attempt_before ["crash", "replay"], "other_job", "another attempt";
    the_report_of_another_run ["other-run"], "other_job", "another attempt, run";
    a_finding_about_another_target ["other-target"], "stranger", "not in its job";
    a_finding_about_another_port ["other-port"], "stranger", "not in its job";
    a_finding_of_another_plugin ["other-plugin"], "stranger", "not in its job";
    a_finding_with_a_field_of_its_own ["unknown-field"], "malformed", "malformed";
    the_same_finding_twice ["twice-the-same"], "too_many", "more findings";
    more_errors_than_can_be ["many-errors"], "too_many", "more findings";
}
