use super::*;
use crate::domain::{TriggerKind, Value};

const GOOD: &str = "name: N
version: 1.0.0
type: evaluation
author: a
metadata: {severity: high, category: ssh}
triggers:
  - {data_key: ssh.version, condition: exists}
match:
  logic: OR
  rules:
    - {field: ssh.version, operator: startswith, value: OpenSSH}
output: {vulnerability: true, message: m, metadata: {cwe: CWE-1}}
";

fn codes(text: &str) -> Vec<(Code, usize, usize)> {
    let parsed = parse_plugin(text.as_bytes(), "my-plugin.yaml", &Limits::plugin());
    parsed
        .diagnostics()
        .iter()
        .map(|d| (d.code, d.line, d.column))
        .collect()
}

#[test]
fn repairs_are_reported_with_their_place_and_the_plugin_loads() {
    assert_eq!(
        codes(GOOD),
        [
            (Code::IdDerived, 1, 1),
            (Code::UnknownMetadata, 5, 28),
            (Code::ExistsDefault, 7, 5),
            (Code::OperatorAlias, 11, 38),
        ]
    );
    let parsed = parse_plugin(GOOD.as_bytes(), "x/my-plugin.yaml", &Limits::plugin());
    assert!(parsed.loads());
    let plugin = parsed.into_plugin(Mode::Fixed).unwrap();
    assert_eq!(
        (
            plugin.id.as_str(),
            plugin.rule_count(),
            plugin.triggers.len()
        ),
        ("my-plugin", 1, 1)
    );
    assert_eq!(plugin.output.cwe, ["CWE-1"]);
    assert_eq!(plugin.metadata.extra[0].0, "category");
}

#[test]
fn what_is_unknown_is_found_with_its_place() {
    let with = |from: &str, to: &str| {
        assert!(GOOD.contains(from));
        GOOD.replace(from, to)
    };
    for (text, code, line, column) in [
        (with("startswith", "like"), Code::UnknownOperator, 11, 38),
        (
            with("condition: exists", "condition: endsWith, value: x"),
            Code::UnknownCondition,
            7,
            40,
        ),
        (with("logic: OR", "logic: or"), Code::UnknownLogic, 9, 10),
        (
            with("severity: high", "severity: High"),
            Code::UnknownSeverity,
            5,
            22,
        ),
        (
            with("type: evaluation", "type: magic"),
            Code::UnknownType,
            3,
            7,
        ),
        (
            with("version: 1.0.0", "version: one"),
            Code::BadVersion,
            2,
            10,
        ),
        (
            with(
                "operator: startswith, value: OpenSSH",
                "operator: matches, value: '(?=a)'",
            ),
            Code::BadPattern,
            11,
            54,
        ),
        (
            with(
                "operator: startswith, value: OpenSSH",
                "operator: gt, value: x",
            ),
            Code::BadValue,
            11,
            49,
        ),
        (with("name: N", "id: A!"), Code::BadId, 1, 5),
        (with("message: m", "messages: m"), Code::UnknownKey, 12, 31),
        (with("message: m", "messages: m"), Code::MissingField, 12, 9),
        (
            with("author: a", "cyprob_min_version: 99.0"),
            Code::NeedsNewerEngine,
            4,
            21,
        ),
        (
            with("author: a", "vulntor_min_version: x"),
            Code::BadVersion,
            4,
            22,
        ),
        (with("author: a", "triggers: {}"), Code::DuplicateKey, 6, 1),
        (
            with("metadata: {severity: high, category: ssh}", "metadata: [1]"),
            Code::WrongType,
            5,
            11,
        ),
        (
            with(
                "- {field: ssh.version, operator: startswith, value: OpenSSH}",
                "[]",
            ),
            Code::NoRules,
            9,
            10,
        ),
    ] {
        assert!(
            codes(&text).contains(&(code, line, column)),
            "{code} not in {:?}",
            codes(&text)
        );
        let parsed = parse_plugin(text.as_bytes(), "p.yaml", &Limits::plugin());
        assert_eq!(
            parsed.loads(),
            code == Code::UnknownKey && text.contains("message: "),
            "{code}"
        );
    }
}

#[test]
fn compat_takes_what_can_be_read_at_all() {
    let odd = GOOD
        .replace("logic: OR", "logic: or")
        .replace("severity: high", "severity: odd");
    let parsed = parse_plugin(odd.as_bytes(), "p.yaml", &Limits::plugin());
    assert!(parsed.into_plugin(Mode::Compat).is_ok());
    let parsed = parse_plugin(b"name: [x]\n", "p.yaml", &Limits::plugin());
    assert!(parsed.into_plugin(Mode::Compat).is_err());
}

#[test]
fn service_triggers_become_conditions() {
    let text = GOOD.replace(
        "{data_key: ssh.version, condition: exists}",
        "{port: [22, 2222], service: ssh}",
    );
    let parsed = parse_plugin(text.as_bytes(), "p.yaml", &Limits::plugin());
    assert!(
        parsed
            .diagnostics()
            .iter()
            .any(|d| d.code == Code::ServiceTrigger)
    );
    assert!(matches!(
        parsed.plugin().unwrap().triggers[0].kind,
        TriggerKind::Service {
            port: Some(Value::List(_)),
            service: Some(Value::String(_))
        }
    ));
}

#[test]
fn the_guard_speaks_first() {
    let read = |bytes: &[u8]| {
        let parsed = parse_plugin(bytes, "p.yaml", &Limits::plugin());
        let d = parsed.first_error().unwrap();
        (d.code, d.line, d.column)
    };
    assert_eq!(read(b"a: 1\nb: \xff\n"), (Code::NotUtf8, 2, 4));
    assert_eq!(read(b"a: 1\nb\0: 2\n"), (Code::Nul, 2, 2));
    assert_eq!(read(&vec![b'a'; 300_000]).0, Code::TooLarge);
    assert_eq!(read(b"").0, Code::Empty);
    assert_eq!(read(b"null").0, Code::Empty);
    assert_eq!(read(b"- 1").0, Code::WrongType);
    let bom = format!("\u{feff}{GOOD}");
    assert!(parse_plugin(bom.as_bytes(), "p.yaml", &Limits::plugin()).loads());
}

#[test]
fn json_files_are_json() {
    let json = br#"{"id":"j-plugin","name":"N","version":"1","type":"evaluation","author":"a","metadata":{"severity":"low"},
        "match":{"logic":"AND","rules":[{"field":"k","operator":"equals","value":"\ud83d\ude00"}]},"output":{"message":"m"}}"#;
    let parsed = parse_plugin(json, "x.json", &Limits::plugin());
    assert!(parsed.loads(), "{:?}", parsed.diagnostics());
    assert_eq!(parsed.plugin().unwrap().format, Format::Json);
    assert_eq!(
        parse_plugin(GOOD.as_bytes(), "x.json", &Limits::plugin())
            .first_error()
            .unwrap()
            .code,
        Code::Syntax
    );
}

#[test]
fn diagnostics_are_bounded_and_errors_are_kept() {
    let rules = "    - {field: a, operator: bad, value: 1, x: 1, y: 2, z: 3}\n".repeat(400);
    let text = format!(
        "name: N\nversion: 1\ntype: evaluation\nauthor: a\nmatch:\n  logic: OR\n  rules:\n{rules}output: {{severity: low, message: m}}\n"
    );
    let parsed = parse_plugin(text.as_bytes(), "p.yaml", &Limits::plugin());
    assert_eq!(parsed.diagnostics().len(), 101);
    assert!(
        parsed
            .diagnostics()
            .iter()
            .any(|d| d.code == Code::MoreLeftOut)
    );
    assert!(
        parsed
            .diagnostics()
            .iter()
            .filter(|d| d.code == Code::UnknownOperator)
            .count()
            == 100
    );
}
