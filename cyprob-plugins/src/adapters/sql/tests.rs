//! What both databases are tested for, once each has been brought to its state.

use cyprob_core::adapters::sql::Backend;
use cyprob_core::domain::audit::{Action, AuditEvent, Resource};
use cyprob_core::domain::{Caller, CtxIssuer, ObjectScope, Timestamp, UserId};
use cyprob_core::ports::EntropyExt as _;
use cyprob_core::testkit::SeededEntropy;

use super::SqlRuns;
use crate::domain::{Digest, FactsFile, NewRun, Requester, RunCounts, RunKey};
use crate::ports::{CreateOutcome, RunStore as _};

/// Ids of an organization, a person and a run of theirs that has the key `once` since before digests were kept.
pub(crate) const BEFORE: [&str; 3] = [
    "00000000000070008000000000000001",
    "00000000000070008000000000000002",
    "00000000000070008000000000000003",
];

/// A key from before is the person's, and gives its run whatever is asked for.
pub(crate) async fn a_key_from_before_gives_its_run<B: Backend>(runs: &SqlRuns<B>) {
    let [org, person, run] = BEFORE;
    let issuer = CtxIssuer::for_composition();
    let caller = Caller::system("test");
    let org = issuer.org(
        format!("org_{org}").parse().unwrap(),
        "operator".parse().unwrap(),
        caller.clone(),
    );
    let org = issuer.scoped(org, ObjectScope::ALL);
    let (entropy, at) = (SeededEntropy::new(5), Timestamp::from_seconds(9));
    let person: UserId = format!("usr_{person}").parse().unwrap();
    let stranger: UserId = entropy.id(at);
    for (by, word, known) in [
        (person, "it", true),
        (person, "another", true),
        (stranger, "it", false),
    ] {
        let new = NewRun {
            id: entropy.id(at),
            requested_by: by,
            tags: Default::default(),
            at,
            counts: RunCounts::default(),
            plugins: Vec::new(),
            files: Vec::new(),
            rule_set: Digest::of(b""),
            facts: FactsFile {
                format: "json".to_owned(),
                bytes: Vec::new(),
            },
            key: Some(RunKey {
                requester: Requester::Person(by),
                text: "once".to_owned(),
                request: Digest::of(word.as_bytes()),
            }),
        };
        let on = Resource::new("test", "x");
        let event = AuditEvent::new(entropy.id(at), at, &caller, Action::RunCreated, on);
        let event = event.in_org(org.org());
        let key = runs.keyed(&org, Requester::Person(by), "once").await;
        assert_eq!(
            key.unwrap().map(|key| (key.request, key.run.is_some())),
            known.then_some((None, true))
        );
        match runs.create(&org, &new, 9, &event).await.unwrap() {
            CreateOutcome::Known(found) if known => {
                assert_eq!(found.id.to_string(), format!("run_{run}"));
            }
            CreateOutcome::Queued if !known => {}
            other => panic!("{word}: {other:?}"),
        }
    }
}
