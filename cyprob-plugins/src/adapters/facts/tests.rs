use super::*;

fn read(text: &str) -> Result<Vec<FactSet>, InputError> {
    read_facts(text.as_bytes(), None, &Limits::facts())
}

fn refused(text: &str) -> (Code, usize) {
    let d = read(text).unwrap_err().diagnostic;
    (d.code, d.line)
}

#[test]
fn every_form_is_told_apart() {
    let record = r#"{"target":"10.0.0.1","port":22,"facts":{"ssh.version":"x"}}"#;
    let one = &read(record).unwrap()[0];
    assert_eq!(
        (one.target(), one.port(), one.len()),
        ("10.0.0.1", Some(22), 1)
    );
    assert_eq!(read(&format!("{record}\n{record}\r\n\n")).unwrap().len(), 2);
    assert_eq!(read(&format!("[{record},\n{record}]")).unwrap().len(), 2);
    assert_eq!(
        read(r#"{"a.b": [1, 2]}"#).unwrap()[0]
            .get("a.b")
            .unwrap()
            .type_name(),
        "a list"
    );
    assert!(read("{}").unwrap()[0].is_empty());
    for yaml in [
        "a.b: 2024-01-02",
        "{a.b: 2024-01-02}",
        "{\"a.b\": 2024-01-02}",
        "---\na.b: 2024-01-02\n...",
    ] {
        assert_eq!(
            read(yaml).unwrap()[0].get("a.b").unwrap().type_name(),
            "a time",
            "{yaml}"
        );
    }
    assert_eq!(
        read("- {target: h, port: 1, facts: {a: 1}}\n- {a: 2}\n")
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        read("facts: 5").unwrap()[0].get("facts"),
        Some(&Value::Int(5))
    );
}

#[test]
fn refusals_name_the_place() {
    assert_eq!(
        refused("{\"a\":1}\n{\"a\":1}\n{\"a\":}\n"),
        (Code::Syntax, 3)
    );
    assert_eq!(refused("{\"a\":1}\n[1]\n"), (Code::BadFacts, 2));
    assert_eq!(refused("\n[1]"), (Code::BadFacts, 2));
    assert_eq!(refused("a: &x 1"), (Code::Anchor, 1));
    assert_eq!(refused("{\"facts\":{},\"name\":1}"), (Code::BadFacts, 1));
    assert_eq!(
        refused("{\"facts\":{},\"port\":65536}"),
        (Code::BadFacts, 1)
    );
    assert_eq!(
        refused("{\"facts\":{},\"port\":\"22\"}"),
        (Code::BadFacts, 1)
    );
    assert_eq!(
        refused("{\"facts\":{},\"target\":[1]}"),
        (Code::BadFacts, 1)
    );
    assert_eq!(refused("{\"facts\":{\"\":1}}"), (Code::BadFacts, 1));
    assert_eq!(refused("{\"a\":1,\"a\":2}"), (Code::DuplicateKey, 1));
    assert_eq!(refused("\"text\"").0, Code::BadFacts);
    assert_eq!(refused("").0, Code::Empty);
    assert_eq!(
        refused(&format!("{{\"k\": \"{}\"}}", "x".repeat(2 << 20))).0,
        Code::ScalarTooLong
    );
    assert_eq!(refused(&"x".repeat(9 << 20)).0, Code::TooLarge);
}

#[test]
fn many_small_values_do_not_pass_the_budget_by_lines() {
    let line = format!("{{\"a\":[{}1]}}\n", "1,".repeat(50_000));
    assert_eq!(refused(&line.repeat(12)).0, Code::TooManyNodes);
    let mut limits = Limits::facts();
    limits.fact_sets = 2;
    let error = read_facts(b"{}\n{}\n{}\n", None, &limits).unwrap_err();
    assert_eq!(
        (error.diagnostic.code, error.diagnostic.line),
        (Code::BadFacts, 3)
    );
}
