//! AUD-2: any changed, dropped, swapped, added or truncated entry is found.

use std::cell::RefCell;
use std::collections::BTreeMap;

use cyprob_core::domain::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::{TestLog, proof_tampers, sealed_leaves, tampers};
use crate::adapters::memory::MemoryLog;
use crate::domain::{KeyName, LogFile, tiles_between};
use crate::service::verify::{Options, Report, Verdict, verify_log, verify_proof};

/// How many cases ended how: by the verdict that failed first, and by what was done.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// Cases by outcome.
    pub outcomes: BTreeMap<String, u32>,
}

impl Distribution {
    /// The cases whose first failed verdict was this one; `accepted` for none.
    #[must_use]
    pub fn of(&self, verdict: &str) -> u32 {
        let named = |outcome: &String| outcome.split(' ').next() == Some(verdict);
        let counts = self.outcomes.iter().filter(|(outcome, _)| named(outcome));
        counts.map(|(_, count)| count).sum()
    }

    fn count(&mut self, outcome: String) {
        *self.outcomes.entry(outcome).or_default() += 1;
    }
}

const ORIGIN: &str = "audit.example.com/org_test";
const MOST: u64 = 600;

fn failed(what: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(what.to_string())
}

fn run<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) -> Result<(), String> {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(strategy, test)
        .map_err(|error| error.to_string())
}

/// Sizes of all kinds, the edges of tiles more often.
fn sizes() -> impl Strategy<Value = u64> {
    prop_oneof![
        2 => 1..=MOST,
        1 => proptest::sample::select(vec![1_u64, 2, 255, 256, 257, 511, 512, 513]),
    ]
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_767_229_200 + seconds)
}

/// A log of this size, published at each cut too; with it a checkpoint of a smaller size.
fn build(
    leaves: &[Vec<u8>],
    size: u64,
    cuts: &[u64],
) -> Result<(TestLog, Vec<u8>), Box<dyn std::error::Error>> {
    let mut log = TestLog::new(ORIGIN, 7)?;
    log.append(&[], moment(0))?;
    let mut ends: Vec<u64> = cuts.iter().map(|cut| cut % size).chain([size]).collect();
    ends.sort_unstable();
    let mut older = Vec::new();
    for end in ends {
        older = log
            .files
            .get(LogFile::Checkpoint)
            .unwrap_or_default()
            .to_vec();
        let batch = leaves.get(usize::try_from(log.size())?..usize::try_from(end)?);
        log.append(batch.unwrap_or_default(), moment(0))?;
    }
    Ok((log, older))
}

fn outcome(report: &Report) -> String {
    report
        .first_failure()
        .map_or_else(|| "accepted".to_owned(), |judged| judged.to_string())
}

/// Whether all that the log's size requires is as it was, and nothing else was put in or changed.
///
/// A log may drop partial files whose wider successors it has (C2SP tlog-tiles).
fn only_superseded_files_are_gone(log: &TestLog, changed: &MemoryLog) -> bool {
    let required = tiles_between(0, log.size())
        .map(LogFile::Tile)
        .chain([LogFile::Checkpoint]);
    let kept = required
        .into_iter()
        .all(|file| changed.get(file) == log.files.get(file));
    let mut superset = changed.clone();
    for (file, bytes) in log.files.iter() {
        if superset.get(file).is_none() {
            superset.insert(file, bytes.to_vec());
        }
    }
    kept && superset == log.files
}

/// Any change of a log's files is found, and a log that nobody changed is accepted.
///
/// Each case builds a log of 1 to 600 sealed events that was published at
/// several sizes, verifies it intact, changes it and verifies again. A change
/// that happens to change nothing, or drops a partial file that a wider one
/// replaced, must be accepted.
///
/// # Errors
///
/// The first case that does not hold, as text.
pub fn aud_2_any_change_of_a_log_is_found(cases: u32) -> Result<Distribution, String> {
    let origin: KeyName = ORIGIN.parse().map_err(|error| format!("{error}"))?;
    let leaves = sealed_leaves(&origin, MOST).map_err(|error| error.to_string())?;
    let counts = RefCell::new(Distribution::default());
    let cuts = proptest::collection::vec(0..MOST, 0..4);
    run(
        cases,
        &(sizes(), cuts, tampers()),
        |(size, cuts, tamper)| {
            let (log, older) = build(&leaves, size, &cuts).map_err(failed)?;
            let options = Options::new(log.key().clone(), moment(0));
            let intact = verify_log(&log.files, &options, &mut |_| {}).map_err(failed)?;
            prop_assert_eq!(&intact.integrity, &Verdict::Held);
            prop_assert_eq!(&intact.completeness, &Verdict::Held);
            prop_assert_eq!(intact.size, Some(size));
            let entries = leaves
                .get(..usize::try_from(size).map_err(failed)?)
                .unwrap_or_default();
            let Some(changed) = tamper.apply(&log, entries, &older) else {
                return Err(TestCaseError::reject("nothing to change"));
            };
            let report = verify_log(&changed, &options, &mut |_| {}).map_err(failed)?;
            let outcome = outcome(&report);
            let harmless = only_superseded_files_are_gone(&log, &changed);
            prop_assert_eq!(harmless, outcome == "accepted", "{:?}", report);
            let outcome = format!("{outcome} after {}", tamper.name());
            counts.borrow_mut().count(outcome);
            Ok(())
        },
    )?;
    Ok(counts.into_inner())
}

/// Any change of a proof or of its entry is found, and an unchanged proof is accepted.
///
/// # Errors
///
/// The first case that does not hold, as text.
pub fn aud_2_any_change_of_a_proof_is_found(cases: u32) -> Result<Distribution, String> {
    let origin: KeyName = ORIGIN.parse().map_err(|error| format!("{error}"))?;
    let leaves = sealed_leaves(&origin, MOST).map_err(|error| error.to_string())?;
    let counts = RefCell::new(Distribution::default());
    let strategy = (sizes(), any::<u64>(), proof_tampers());
    run(cases, &strategy, |(size, index, tamper)| {
        let (log, _) = build(&leaves, size, &[]).map_err(failed)?;
        let options = Options::new(log.key().clone(), moment(0));
        let (proof, entry) = log.proof(index % size).map_err(failed)?;
        let intact = verify_proof(&proof.encode(), &entry, &options);
        prop_assert_eq!(&intact.integrity, &Verdict::Held);
        let entries = leaves
            .get(..usize::try_from(size).map_err(failed)?)
            .unwrap_or_default();
        let Some((bytes, shown)) = tamper.apply(&proof, &entry, entries) else {
            return Err(TestCaseError::reject("nothing to change"));
        };
        let report = verify_proof(&bytes, &shown, &options);
        let outcome = outcome(&report);
        let same = bytes == proof.encode() && shown == entry;
        prop_assert_eq!(same, outcome == "accepted", "{:?}", report);
        counts
            .borrow_mut()
            .count(format!("{outcome} after {}", tamper.name()));
        Ok(())
    })?;
    Ok(counts.into_inner())
}
