use super::test::{Test, Truth, VersionFrom};
use super::*;
use crate::domain::pattern::{Budget, Work};
use crate::domain::{Operator, TimeValue};

fn lower(op: Operator, value: Option<&Value>, from: VersionFrom) -> Result<Test, Issue> {
    let limits = PatternLimits::default();
    super::lower::lower(op, value, from, &limits, &mut Budget::new(&limits))
}

fn facts(entries: &[(&str, Value)]) -> FactSet {
    let mut set = FactSet::new("host", Some(22)).unwrap();
    for (key, value) in entries {
        set.insert(key, value.clone()).unwrap();
    }
    set
}

fn decide(op: Operator, actual: Option<Value>, expected: Value) -> Truth {
    let test = lower(op, Some(&expected), VersionFrom::Whole).unwrap();
    let set = facts(&actual.into_iter().map(|v| ("k", v)).collect::<Vec<_>>());
    test.decide("k", set.get("k"), &set, &Work::new())
}

#[test]
fn lists_match_item_by_item() {
    let algos = || Some(Value::texts(["aes128-cbc", "aes256-ctr"]));
    assert_eq!(
        decide(Operator::Equals, algos(), Value::text("aes128-cbc")),
        Truth::True
    );
    assert_eq!(
        decide(Operator::Contains, algos(), Value::text("cbc")),
        Truth::True
    );
    assert_eq!(
        decide(Operator::Contains, algos(), Value::text("cbc aes256")),
        Truth::False
    );
    assert_eq!(
        decide(Operator::Matches, algos(), Value::text("^aes256")),
        Truth::True
    );
    assert_eq!(
        decide(Operator::In, algos(), Value::texts(["x", "aes256-ctr"])),
        Truth::True
    );
    assert_eq!(
        decide(Operator::NotIn, algos(), Value::texts(["x", "aes256-ctr"])),
        Truth::False
    );
    let mixed = Some(Value::List(vec![Value::text("x"), Value::Int(9)]));
    assert_eq!(
        decide(Operator::Gt, mixed.clone(), Value::Int(5)),
        Truth::True
    );
    assert!(matches!(
        decide(Operator::Lt, mixed, Value::Int(5)),
        Truth::Error(_)
    ));
    assert_eq!(
        decide(
            Operator::Contains,
            Some(Value::List(vec![])),
            Value::text("")
        ),
        Truth::False
    );
}

#[test]
fn absence_and_presence() {
    assert_eq!(
        decide(Operator::Exists, None, Value::Bool(false)),
        Truth::True
    );
    assert_eq!(
        decide(Operator::Exists, Some(Value::Null), Value::Bool(true)),
        Truth::True
    );
    assert_eq!(
        decide(Operator::Equals, None, Value::text("")),
        Truth::False
    );
    assert_eq!(
        decide(Operator::NotIn, None, Value::texts(["a"])),
        Truth::False
    );
    let set = facts(&[("http.headers.server", Value::text("x"))]);
    let exists = lower(Operator::Exists, None, VersionFrom::Whole).unwrap();
    assert_eq!(
        exists.decide("http.headers", None, &set, &Work::new()),
        Truth::True
    );
}

#[test]
fn errors_are_a_third_value() {
    assert!(matches!(
        decide(Operator::Gt, Some(Value::text("x")), Value::Int(1)),
        Truth::Error(_)
    ));
    assert!(matches!(
        decide(
            Operator::VersionLt,
            Some(Value::text("OpenSSH_8.5p1")),
            Value::text("9")
        ),
        Truth::Error(_)
    ));
    assert!(matches!(
        decide(Operator::Gt, Some(Value::Float(f64::NAN)), Value::Int(1)),
        Truth::Error(_)
    ));
    let big = Some(Value::text("a".repeat(MATCH_INPUT_BYTES + 1)));
    assert!(matches!(
        decide(Operator::Matches, big, Value::text("b")),
        Truth::Error(_)
    ));
    let error = || Truth::Error("e".into());
    assert_eq!(Truth::any([error(), Truth::True].into_iter()), Truth::True);
    assert_eq!(Truth::any([error(), Truth::False].into_iter()), error());
    assert_eq!(
        Truth::all([error(), Truth::False].into_iter()),
        Truth::False
    );
    assert_eq!(Truth::all([error(), Truth::True].into_iter()), error());
}

#[test]
fn versions_come_out_of_banners_only_when_asked() {
    let set = facts(&[("ssh.version", Value::text("OpenSSH_8.5p1"))]);
    let test = lower(
        Operator::VersionLt,
        Some(&Value::text("9.8p1")),
        VersionFrom::Banner,
    );
    assert_eq!(
        test.unwrap()
            .decide("ssh.version", set.get("ssh.version"), &set, &Work::new()),
        Truth::True
    );
}

#[test]
fn times_and_numbers_have_an_order() {
    let day = |t: &str| Value::Time(Box::new(TimeValue::parse_yaml(t).unwrap()));
    assert_eq!(
        decide(
            Operator::Lt,
            Some(Value::text("2024-05-01T00:00:00Z")),
            day("2025-01-01")
        ),
        Truth::True
    );
    assert_eq!(
        decide(
            Operator::Between,
            Some(Value::Int(5)),
            Value::List(vec![Value::Int(1), Value::text("10")])
        ),
        Truth::True
    );
    assert_eq!(
        decide(
            Operator::Between,
            Some(Value::Uint(u64::MAX)),
            Value::List(vec![Value::Int(1), Value::Float(1e30)])
        ),
        Truth::True
    );
    assert!(matches!(
        decide(Operator::Gt, Some(day("2024-01-01")), Value::Int(5)),
        Truth::Error(_)
    ));
}

#[test]
fn what_has_no_meaning_does_not_load() {
    for (op, value, code) in [
        (Operator::Exists, Value::text("true"), Code::BadValue),
        (Operator::Contains, Value::texts(["a"]), Code::BadValue),
        (Operator::Matches, Value::text("["), Code::BadPattern),
        (Operator::Matches, Value::Int(5), Code::BadValue),
        (
            Operator::Matches,
            Value::text("(?:.{30}){30}"),
            Code::CostlyPattern,
        ),
        (Operator::In, Value::text("a"), Code::BadValue),
        (Operator::Gt, Value::text("five"), Code::BadValue),
        (Operator::Gt, Value::Float(f64::NAN), Code::BadValue),
        (
            Operator::Between,
            Value::List(vec![Value::Int(1)]),
            Code::BadValue,
        ),
        (
            Operator::VersionLt,
            Value::text("OpenSSH"),
            Code::BadVersion,
        ),
        (
            Operator::VersionBetween,
            Value::texts(["1", "x"]),
            Code::BadVersion,
        ),
    ] {
        let issue = lower(op, Some(&value), VersionFrom::Whole).unwrap_err();
        assert_eq!(issue.code, code, "{op}");
    }
    let missing = lower(Operator::Equals, None, VersionFrom::Whole);
    assert_eq!(missing.unwrap_err().code, Code::MissingField);
}
