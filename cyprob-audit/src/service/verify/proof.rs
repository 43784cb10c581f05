//! Verifying one entry by its proof, and the verdicts on a checkpoint alone.

use std::time::Duration;

use super::options::Options;
use super::report::{Reason, Reasons, Report, Verdict};
use crate::domain::{OpenedCheckpoint, TlogProof};

/// How far ahead of our clock a checkpoint's time may be.
const MAX_SKEW: Duration = Duration::from_secs(300);

/// Judges whether the log holds this entry, by a proof in the C2SP form.
///
/// Completeness is not judged: a proof speaks of one entry.
#[must_use]
pub fn verify_proof(proof: &[u8], entry: &[u8], options: &Options) -> Report {
    let opened = TlogProof::parse(proof)
        .and_then(|proof| proof.verify(entry, &options.log, &options.witnesses));
    match opened {
        Ok(opened) => judged(options, &opened),
        Err(error) => refused(options, Reason::Proof(error)),
    }
}

/// The report on a log whose checkpoint does not count: nothing else can be judged.
pub(super) fn refused(options: &Options, reason: Reason) -> Report {
    Report {
        integrity: Verdict::Failed(Reasons::one(reason)),
        completeness: Verdict::NotJudged,
        freshness: Verdict::NotJudged,
        witnessed: Verdict::NotJudged,
        origin: options.log.name().clone(),
        size: None,
        root: None,
        time: None,
    }
}

/// The report on a checkpoint that counts, as far as the checkpoint itself goes.
pub(super) fn judged(options: &Options, opened: &OpenedCheckpoint) -> Report {
    Report {
        integrity: Verdict::Held,
        completeness: Verdict::NotJudged,
        freshness: freshness(options, opened),
        witnessed: witnessed(options, opened),
        origin: opened.checkpoint.origin().clone(),
        size: Some(opened.checkpoint.size()),
        root: Some(*opened.checkpoint.root()),
        time: opened.checkpoint.time(),
    }
}

/// By the log's own time; where it gives none, by the latest of the witnesses asked for.
fn freshness(options: &Options, opened: &OpenedCheckpoint) -> Verdict {
    let Some(max_age) = options.max_age else {
        return Verdict::NotJudged;
    };
    let seen = opened.witnesses.iter().filter_map(|line| line.seen.ok());
    let Some(at) = opened.checkpoint.time().or_else(|| seen.max()) else {
        return Verdict::Failed(Reasons::one(Reason::NoTime));
    };
    if at.since(options.now) > MAX_SKEW {
        return Verdict::Failed(Reasons::one(Reason::Future { at }));
    }
    let age = options.now.since(at);
    if age > max_age {
        return Verdict::Failed(Reasons::one(Reason::Stale { age, max_age }));
    }
    Verdict::Held
}

fn witnessed(options: &Options, opened: &OpenedCheckpoint) -> Verdict {
    if options.witnesses.is_empty() {
        return Verdict::NotJudged;
    }
    let mut reasons = Reasons::default();
    for line in &opened.witnesses {
        if let Err(why) = line.seen {
            reasons.add(Reason::Witness {
                witness: line.name.clone(),
                why,
            });
        }
    }
    reasons.verdict()
}
