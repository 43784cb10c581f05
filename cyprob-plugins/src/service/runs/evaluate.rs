//! What a worker does with its job.

use crate::domain::{
    Digest, FactsFile, MAX_FINDING_BYTES, MAX_FINDINGS, MAX_FINDINGS_BYTES, Mode, Outcome,
    PluginFile,
};
use crate::ports::{FileReader, Verdict};
use crate::service::RuleSet;

/// Runs plugins on facts, each fact set for itself; an error of one plugin stops no other.
///
/// What is run is what the digests say: a file with other bytes, or a rule set
/// of another digest, is not run at all. A finding past 128 KiB counts as one
/// that could not be decided; a run has at most 100,000 findings, 16 MiB together.
#[must_use]
pub fn evaluate(
    files: &[PluginFile],
    rule_set: Digest,
    facts: &FactsFile,
    reader: &dyn FileReader,
) -> Verdict {
    match try_evaluate(files, rule_set, facts, reader) {
        Ok(done) => done,
        Err(reason) => Verdict::Impossible(reason),
    }
}

fn try_evaluate(
    files: &[PluginFile],
    rule_set: Digest,
    facts: &FactsFile,
    reader: &dyn FileReader,
) -> Result<Verdict, String> {
    let mut plugins = Vec::with_capacity(files.len());
    for file in files {
        if !file.is_intact() {
            return Err(format!(
                "the bytes of {} are not those of its digest",
                file.name
            ));
        }
        let (plugin, _) = reader.plugin(file).map_err(|error| error.to_string())?;
        plugins.push(plugin);
    }
    let rules = RuleSet::new(plugins, Mode::Fixed).map_err(|error| error.to_string())?;
    if rules.digest() != rule_set {
        return Err("the files make another rule set than the run is pinned to".to_owned());
    }
    let sets = reader.facts(facts).map_err(|error| error.to_string())?;
    let (mut findings, mut bytes, mut errors) = (Vec::new(), 0, 0_u64);
    for set in &sets {
        for evaluation in rules.evaluate(set) {
            match evaluation.outcome {
                Outcome::Match(finding) => {
                    let text = serde_json::to_string(&finding).map_err(|e| e.to_string())?;
                    if text.len() > MAX_FINDING_BYTES {
                        errors += 1;
                        continue;
                    }
                    bytes += text.len();
                    if findings.len() >= MAX_FINDINGS || bytes > MAX_FINDINGS_BYTES {
                        return Err("there are more than 100,000 findings, or 16 MiB".to_owned());
                    }
                    findings.push(text);
                }
                Outcome::NoMatch => {}
                Outcome::Error(_) => errors += 1,
            }
        }
    }
    Ok(Verdict::Done { findings, errors })
}
