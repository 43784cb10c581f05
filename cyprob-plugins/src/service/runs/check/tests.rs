use cyprob_core::domain::{Id, OrgId, RunId, UserId};
use proptest::prelude::*;
use secrecy::SecretString;

use super::*;
use crate::domain::{Digest, FactsFile, Fence, PluginId};
use crate::ports::JobGrant;
use crate::testkit::runs::TableTokens;

const AT: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
const GOOD: &str = r#"{"target":"host","port":22,"plugin":"alpha","plugin_type":"evaluation","severity":"low","message":"m","remediation":"","cve":[],"cwe":["CWE-1"],"reference":"","matched":[{"field":"a","operator":"exists","actual":null}]}"#;

fn id<I: Id>(n: u8) -> I {
    I::from_random(AT, [n; 10])
}

fn job() -> Job {
    let plugin = |id| PluginId::parse(id).unwrap();
    Job {
        run: id(1),
        org: id(2),
        requested_by: id(3),
        fence: Fence(4),
        attempt: 1,
        rule_set: Digest::of(b"rules"),
        plugins: vec![plugin("alpha"), plugin("beta-beta")],
        files: Vec::new(),
        facts: FactsFile {
            format: "json".to_owned(),
            bytes: Vec::new(),
        },
    }
}

fn grant() -> JobGrant {
    let job = job();
    JobGrant {
        run: job.run,
        org: job.org,
        fence: job.fence,
        rule_set: job.rule_set,
        on_behalf_of: job.requested_by,
        deadline: AT.after(std::time::Duration::from_secs(1)),
    }
}

/// Two fact sets of one target and port, one without a port.
fn facts() -> Vec<FactSet> {
    let set = |target, port| FactSet::new(target, port).unwrap();
    vec![
        set("host", Some(22)),
        set("host", Some(22)),
        set("other", None),
    ]
}

fn judge(tokens: &TableTokens, token: SecretString, verdict: Verdict) -> Result<(), Lie> {
    let told = Report {
        token,
        run: job().run.to_string(),
        verdict,
    };
    report(&job(), &facts(), &told, tokens, AT)
}

fn done(findings: &[&str], errors: u64) -> Result<(), Lie> {
    let tokens = TableTokens::default();
    let token = tokens.issue(&grant());
    let findings = findings.iter().map(|text| (*text).to_owned()).collect();
    judge(&tokens, token, Verdict::Done { findings, errors })
}

#[test]
fn what_the_engine_writes_is_taken() {
    let other = GOOD
        .replace("\"host\",\"port\":22", "\"other\",\"port\":null")
        .replace("alpha", "beta-beta");
    assert!(done(&[GOOD, &other, GOOD], 3).is_ok());
    assert!(done(&[], 6).is_ok());
    let tokens = TableTokens::default();
    let token = tokens.issue(&grant());
    assert!(judge(&tokens, token, Verdict::Impossible("no".to_owned())).is_ok());
}

#[test]
fn a_token_of_anything_else_is_refused() {
    let tokens = TableTokens::default();
    let other: [fn(&mut JobGrant); 5] = [
        |grant| grant.run = id::<RunId>(9),
        |grant| grant.org = id::<OrgId>(9),
        |grant| grant.fence = Fence(3),
        |grant| grant.rule_set = Digest::of(b"other rules"),
        |grant| grant.on_behalf_of = id::<UserId>(9),
    ];
    for change in other {
        let mut grant = grant();
        change(&mut grant);
        let token = tokens.issue(&grant);
        let verdict = Verdict::Impossible("no".to_owned());
        let refused = judge(&tokens, token, verdict);
        assert!(matches!(refused, Err(Lie::OtherJob)), "{grant:?}");
    }
    let mut late = grant();
    late.deadline = AT;
    let late = tokens.issue(&late);
    for token in [late, "forged".into(), "".into()] {
        let refused = judge(&tokens, token, Verdict::Impossible(String::new()));
        assert!(matches!(refused, Err(Lie::Token(_))));
    }
    let told = Report {
        token: tokens.issue(&grant()),
        run: id::<RunId>(9).to_string(),
        verdict: Verdict::Impossible(String::new()),
    };
    let refused = report(&job(), &facts(), &told, &tokens, AT);
    assert!(matches!(refused, Err(Lie::OtherJob)));
}

#[test]
fn findings_of_what_is_not_in_the_job_are_refused() {
    for (from, to) in [
        ("\"host\"", "\"Host\""),
        ("\"host\"", "\"\""),
        ("22", "23"),
        ("22", "null"),
        ("\"host\",\"port\":22", "\"other\",\"port\":22"),
        ("alpha", "gamma"),
        ("alpha", "alpha "),
    ] {
        let refused = done(&[GOOD, &GOOD.replace(from, to)], 0);
        assert!(matches!(refused, Err(Lie::Stranger)), "{to}: {refused:?}");
    }
}

#[test]
fn malformed_findings_are_refused() {
    let long = GOOD.replace("\"m\"", &format!("\"{}\"", "x".repeat(MAX_FINDING_BYTES)));
    for (from, to) in [
        ("\"port\":22,", ""),
        (",\"actual\":null", ""),
        ("\"reference\":\"\",", ""),
        ("22", "\"22\""),
        ("22", "65536"),
        ("low", "LOW"),
        ("low", "catastrophic"),
        ("[]", "null"),
        ("\"message\"", "\"id\":\"fnd_1\",\"message\""),
        ("\"message\":\"m\"", "\"message\":\"m\",\"message\":\"n\""),
        ("}]}", "}]}x"),
        (GOOD, "null"),
        (GOOD, ""),
        (GOOD, &long),
    ] {
        let refused = done(&[GOOD, &GOOD.replacen(from, to, 1)], 0);
        assert!(
            matches!(refused, Err(Lie::Malformed)),
            "{to:.60}: {refused:?}"
        );
    }
}

#[test]
fn more_than_can_be_is_refused() {
    // Two fact sets have this target and port, so each plugin speaks of it twice at most.
    assert!(matches!(done(&[GOOD; 3], 0), Err(Lie::TooMany)));
    assert!(matches!(done(&[GOOD], 6), Err(Lie::TooMany)));
    assert!(matches!(done(&[], 7), Err(Lie::TooMany)));
    assert!(matches!(done(&[GOOD], u64::MAX), Err(Lie::TooMany)));
}

proptest! {
    #[test]
    fn no_finding_makes_the_check_panic(at in any::<prop::sample::Index>(), text in ".{0,20}") {
        let mut damaged = GOOD.to_owned();
        let at = at.index(GOOD.len());
        damaged.replace_range(at..GOOD.len().min(at + text.len()), &text);
        if done(&[&damaged], 0).is_ok() {
            let taken: serde_json::Value = serde_json::from_str(&damaged).unwrap();
            prop_assert_eq!(taken["target"].as_str(), Some("host"));
            prop_assert_eq!(taken["plugin"].as_str(), Some("alpha"));
        }
    }
}
