use super::*;

fn value(text: &str) -> Result<Value, Diagnostic> {
    read_yaml(text, &Limits::plugin())?.value()
}

fn refused(text: &str) -> (Code, usize, usize) {
    let error = value(text).unwrap_err();
    (error.code, error.line, error.column)
}

#[test]
fn every_refusal_has_its_place() {
    for (text, code, line, column) in [
        ("a: &x 1\n", Code::Anchor, 1, 4),
        ("a: 1\nb: *x\n", Code::Alias, 2, 4),
        ("a: 1 # c\u{85}b: &x [1]\n", Code::Anchor, 2, 4),
        ("a: 1 # c\u{2028}b: &x [1]\n", Code::Anchor, 2, 4),
        ("a: 1\r\nb: &x {}\r\n", Code::Anchor, 2, 4),
        ("a:\n  <<: {b: 1}\n", Code::MergeKey, 2, 3),
        ("a: !foo 1\n", Code::CustomTag, 1, 4),
        ("a: !!python/object:os.system [1]\n", Code::CustomTag, 1, 4),
        ("a: !!binary aGk=\n", Code::CustomTag, 1, 4),
        ("! a\n", Code::CustomTag, 1, 1),
        ("a: 1\n---\nb: 2\n", Code::SecondDocument, 2, 1),
        ("a: 1\nb: 2\na: 3\n", Code::DuplicateKey, 3, 1),
        ("a: 1\n\"a\": 2\n", Code::DuplicateKey, 2, 1),
        ("? [a]\n: 1\n", Code::WrongType, 1, 3),
        ("a: \"\\0\"\n", Code::Nul, 1, 4),
        ("", Code::Empty, 1, 1),
        ("# only\n", Code::Empty, 1, 1),
        ("a: [1\nb: 2\n", Code::Syntax, 2, 2),
        ("a: b: c\n", Code::Syntax, 1, 5),
        ("\ta: 1\n", Code::Syntax, 1, 1),
    ] {
        assert_eq!(refused(text), (code, line, column), "{text:?}");
    }
    assert_eq!(refused(&"[".repeat(100_000)).0, Code::TooDeep);
    assert_eq!(refused(&"{a: ".repeat(25_000)).0, Code::TooDeep);
    assert_eq!(refused(&"- ".repeat(50_000)).0, Code::TooDeep);
    assert_eq!(
        refused(&"%TAG !a! x\n".repeat(20_000)),
        (Code::TooManyDirectives, 17, 1)
    );
    assert_eq!(refused(&"- 1\n".repeat(20_000)).0, Code::TooManyNodes);
}

#[test]
fn core_tags_are_understood() {
    assert_eq!(value("!!str 5").unwrap(), Value::text("5"));
    assert_eq!(value("!!float 5").unwrap(), Value::Float(5.0));
    assert_eq!(value("!!int \"5\"").unwrap(), Value::Int(5));
    assert_eq!(value("!!map {a: !!seq [1]}").unwrap().type_name(), "a map");
    assert_eq!(refused("!!int x").0, Code::WrongType);
}

#[test]
fn a_bom_and_any_line_break_are_read() {
    assert_eq!(value("a\r\n").unwrap(), Value::text("a"));
    for text in [
        "x: 1\ry: 2\r",
        "x: 1\ny: 2",
        "x: 1\r\ny: 2\n",
        "%YAML 1.1\n---\nx: 1\n",
    ] {
        assert_eq!(value(text).unwrap().type_name(), "a map", "{text:?}");
    }
}
