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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::Files;

    const PLUGIN: &str = "id: p-one\nname: n\nversion: 1.0.0\ntype: evaluation\nauthor: a\n\
        metadata: {severity: low}\ntriggers: [{data_key: a, condition: exists, value: true}]\n\
        output: {vulnerability: true, message: '{{a}}'}\n";

    fn file(text: &str) -> PluginFile {
        PluginFile::new("p.yaml", text.as_bytes().to_vec())
    }

    fn digest(files: &[PluginFile]) -> Digest {
        let plugins = files.iter().map(|file| Files.plugin(file).unwrap().0);
        RuleSet::new(plugins, Mode::Fixed).unwrap().digest()
    }

    fn run(files: &[PluginFile], rule_set: Digest, facts: &str) -> Verdict {
        let facts = FactsFile {
            format: "json".to_owned(),
            bytes: facts.as_bytes().to_vec(),
        };
        evaluate(files, rule_set, &facts, &Files)
    }

    fn impossible(verdict: Verdict) -> String {
        match verdict {
            Verdict::Impossible(reason) => reason,
            Verdict::Done { .. } => panic!("it was done"),
        }
    }

    #[test]
    fn what_is_run_is_what_the_digests_say() {
        let good = file(PLUGIN);
        let rules = digest(std::slice::from_ref(&good));
        let altered = PluginFile {
            bytes: PLUGIN.replace("low", "high").into_bytes(),
            ..good.clone()
        };
        let reason = impossible(run(&[altered], rules, "{\"a\": 1}"));
        assert!(reason.contains("digest"), "{reason}");
        let other = file(&PLUGIN.replace("low", "high"));
        let reason = impossible(run(&[other], rules, "{\"a\": 1}"));
        assert!(reason.contains("another rule set"), "{reason}");
        let reason = impossible(run(&[], rules, "{\"a\": 1}"));
        assert!(reason.contains("another rule set"), "{reason}");
        let reason = impossible(run(std::slice::from_ref(&good), rules, "{\"a\": "));
        assert!(!reason.is_empty());
        let reason = impossible(run(&[file("- no plugin")], rules, "{\"a\": 1}"));
        assert!(reason.contains("does not load"), "{reason}");
        assert!(matches!(
            run(&[good], rules, "{\"a\": 1}"),
            Verdict::Done { .. }
        ));
    }

    #[test]
    fn a_finding_that_is_too_large_is_an_error_and_stops_no_other() {
        let long = "x".repeat(60_000);
        let texts = format!("message: {long}, remediation: {long}, reference: {long}");
        let large = PLUGIN
            .replace("p-one", "p-two")
            .replace("message: '{{a}}'", &texts);
        let files = [file(&large), file(PLUGIN)];
        let Verdict::Done { findings, errors } = run(&files, digest(&files), "{\"a\": \"small\"}")
        else {
            panic!("it is possible");
        };
        assert_eq!((findings.len(), errors), (1, 1));
        assert!(findings[0].contains("p-one"), "{}", findings[0]);
    }

    #[test]
    fn findings_without_end_are_not_reported() {
        let good = file(PLUGIN);
        let rules = digest(std::slice::from_ref(&good));
        let set = format!("{{\"facts\":{{\"a\":\"{}\"}}}}\n", "x".repeat(60_000));
        let mut more = (0..20).map(|n| PLUGIN.replace("p-one", &format!("p-{n:03}")));
        let files: Vec<_> = more.by_ref().map(|text| file(&text)).collect();
        let reason = impossible(run(&files, digest(&files), &set.repeat(20)));
        assert!(reason.contains("16 MiB"), "{reason}");
        let few = run(&[good], rules, &set.repeat(20));
        assert!(matches!(few, Verdict::Done { findings, .. } if findings.len() == 20));
    }
}
