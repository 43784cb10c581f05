//! Compat mode against the recorded answers of Cyprob's own engine, through
//! the built binary. Runs when `CYPROB_DATA` names the folder with the records.
// Helpers of tests fail by panicking; clippy knows only `#[test]` functions.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// One recorded answer, in the words of the record.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    matched: bool,
    error: bool,
    severity: Option<String>,
}

fn data() -> Option<PathBuf> {
    match std::env::var_os("CYPROB_DATA") {
        Some(path) => Some(path.into()),
        None if std::env::var("CYPROB_REQUIRE_DATA").is_ok_and(|v| v == "1") => {
            panic!("CYPROB_DATA must name the folder with the records")
        }
        None => {
            println!("left out: CYPROB_DATA is not set");
            None
        }
    }
}

/// Runs `plugin eval` and answers its lines by the file's name.
fn eval(facts: &Path, paths: &[&Path], compat: bool) -> BTreeMap<String, Answer> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyprob"));
    command
        .args(["plugin", "eval", "--facts"])
        .arg(facts)
        .args(paths);
    if compat {
        command.arg("--compat");
    }
    let output = command.output().unwrap();
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut out = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let answer = Answer {
            matched: line["matched"].as_bool().unwrap(),
            error: line.get("error").is_some(),
            severity: line
                .pointer("/finding/severity")
                .and_then(Value::as_str)
                .map(ToOwned::to_owned),
        };
        assert_eq!(answer.matched, line.get("finding").is_some());
        assert!(
            out.insert(line["file"].as_str().unwrap().to_owned(), answer)
                .is_none()
        );
    }
    out
}

fn head(severity: &str) -> String {
    format!(
        "id: golden-vector\nname: golden\nversion: 1.0.0\ntype: evaluation\nauthor: test\nmetadata: {{severity: {severity}}}\n\
         output: {{vulnerability: true, severity: {severity}, message: m}}\n"
    )
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// A vector as the file of a plugin.
fn operator_plugin(vector: &Value) -> String {
    let text = |key: &str| vector[key].as_str().unwrap();
    let (op, expected) = (quoted(text("Op")), text("Expected"));
    let mut out = head("info");
    if text("Kind") == "trigger" {
        let _ = write!(
            out,
            "triggers:\n  - data_key: probe\n    condition: {op}\n    value: {expected}\n"
        );
    } else {
        let _ = write!(
            out,
            "match:\n  logic: AND\n  rules:\n    - field: probe\n      operator: {op}\n      value: {expected}\n"
        );
    }
    out
}

fn logic_plugin(vector: &Value) -> String {
    let rule = |key: &str| {
        format!(
            "    - {{field: here, operator: exists, value: {}}}\n",
            vector[key]
        )
    };
    let logic = quoted(vector["Logic"].as_str().unwrap());
    format!(
        "{}match:\n  logic: {logic}\n  rules:\n{}{}",
        head("info"),
        rule("A"),
        rule("B")
    )
}

fn recorded(entry: &Value, key: &str) -> Answer {
    Answer {
        matched: entry[key].as_bool().unwrap(),
        error: entry.get("Error").is_some(),
        severity: entry
            .get("Severity")
            .and_then(Value::as_str)
            .map(ToOwned::to_owned),
    }
}

/// Compared without severity: the vectors' plugins are of our making.
fn same(a: &Answer, b: &Answer) -> bool {
    (a.matched && !a.error, a.error) == (b.matched && !b.error, b.error)
}

struct Case {
    name: String,
    want: Answer,
    got: Answer,
    fixed: Answer,
}

/// Vectors with the same fact share one run.
fn operator_cases(golden: &Value, dir: &Path) -> Vec<Case> {
    let mut groups: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for vector in golden["operator_vectors"].as_array().unwrap() {
        let missing = vector["Missing"].as_bool().unwrap_or(false);
        let facts = if missing {
            "{}".to_owned()
        } else {
            format!("probe: {}\n", vector["Actual"].as_str().unwrap())
        };
        groups.entry(facts).or_default().push(vector);
    }
    let mut out = Vec::new();
    for (i, (facts, vectors)) in groups.iter().enumerate() {
        let folder = dir.join(format!("g{i}"));
        fs::create_dir(&folder).unwrap();
        let facts_file = dir.join(format!("g{i}.facts.yaml"));
        fs::write(&facts_file, facts).unwrap();
        for (j, vector) in vectors.iter().enumerate() {
            fs::write(folder.join(format!("v{j}.yaml")), operator_plugin(vector)).unwrap();
        }
        let got = eval(&facts_file, &[&folder], true);
        let fixed = eval(&facts_file, &[&folder], false);
        assert_eq!(got.len(), vectors.len());
        for (j, vector) in vectors.iter().enumerate() {
            let file = folder
                .join(format!("v{j}.yaml"))
                .to_string_lossy()
                .into_owned();
            out.push(Case {
                name: format!(
                    "{} {} {} {}",
                    vector["Kind"],
                    vector["Op"],
                    facts.trim(),
                    vector["Expected"]
                ),
                want: recorded(vector, "Result"),
                got: got[&file].clone(),
                fixed: fixed[&file].clone(),
            });
        }
    }
    out
}

fn logic_cases(golden: &Value, dir: &Path) -> Vec<Case> {
    let folder = dir.join("logic");
    fs::create_dir(&folder).unwrap();
    let facts = dir.join("logic.facts.yaml");
    fs::write(&facts, "here: x\n").unwrap();
    let vectors = golden["logic_vectors"].as_array().unwrap();
    for (i, vector) in vectors.iter().enumerate() {
        fs::write(folder.join(format!("v{i}.yaml")), logic_plugin(vector)).unwrap();
    }
    let got = eval(&facts, &[&folder], true);
    let fixed = eval(&facts, &[&folder], false);
    vectors
        .iter()
        .enumerate()
        .map(|(i, vector)| {
            let file = folder
                .join(format!("v{i}.yaml"))
                .to_string_lossy()
                .into_owned();
            Case {
                name: vector.to_string(),
                want: recorded(vector, "Result"),
                got: got[&file].clone(),
                fixed: fixed[&file].clone(),
            }
        })
        .collect()
}

fn plugin_cases(golden: &Value, data: &Path, dir: &Path) -> Vec<Case> {
    let text = fs::read_to_string(data.join("cyprob-golden/contexts.yaml")).unwrap();
    let mut contexts = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        if let Some(next) = line.strip_prefix("- name: ") {
            name = next.trim();
        } else if let Some(facts) = line.trim().strip_prefix("facts: ") {
            contexts.insert(name.to_owned(), facts.to_owned());
        }
    }
    let plugins = data.join("cyprob-plugins");
    let mut answers = BTreeMap::new();
    for (name, facts) in &contexts {
        let file = dir.join(format!("{name}.facts.yaml"));
        fs::write(&file, facts).unwrap();
        answers.insert(
            name.clone(),
            (
                eval(&file, &[&plugins], true),
                eval(&file, &[&plugins], false),
            ),
        );
    }
    golden["plugin_results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let context = entry["Context"].as_str().unwrap();
            let file = plugins
                .join(entry["Plugin"].as_str().unwrap())
                .to_string_lossy()
                .into_owned();
            let (compat, fixed) = &answers[context];
            Case {
                name: format!("{} on {context}", entry["Plugin"]),
                want: recorded(entry, "Matched"),
                got: compat[&file].clone(),
                fixed: fixed[&file].clone(),
            }
        })
        .collect()
}

fn word(answer: &Answer) -> &'static str {
    match (answer.error, answer.matched) {
        (true, _) => "error",
        (false, true) => "match",
        (false, false) => "no match",
    }
}

#[test]
fn plg_4_compat_answers_as_cyprob_does() {
    let Some(data) = data() else { return };
    let golden: Value =
        serde_json::from_slice(&fs::read(data.join("cyprob-golden/golden.json")).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let operators = operator_cases(&golden, dir.path());
    let logic = logic_cases(&golden, dir.path());
    let plugins = plugin_cases(&golden, &data, dir.path());

    let mut differences = Vec::new();
    for (kind, cases) in [("operator", &operators), ("logic", &logic)] {
        let wrong = cases.iter().filter(|c| !same(&c.want, &c.got));
        differences.extend(
            wrong.map(|c| format!("{kind}: {}: want {:?}, got {:?}", c.name, c.want, c.got)),
        );
    }
    let wrong = plugins.iter().filter(|c| c.want != c.got);
    differences
        .extend(wrong.map(|c| format!("plugin: {}: want {:?}, got {:?}", c.name, c.want, c.got)));
    println!("operator vectors: {}", operators.len());
    println!("logic vectors: {}", logic.len());
    println!("plugin results: {}", plugins.len());
    println!("differences in compat mode: {}", differences.len());
    for difference in &differences {
        println!("  {difference}");
    }

    println!("differences of fixed mode in plugin results:");
    for case in plugins.iter().filter(|c| c.want != c.fixed) {
        println!(
            "  {}: {} -> {}: {}",
            case.name,
            word(&case.want),
            word(&case.fixed),
            plugin_reason(case)
        );
    }
    println!("differences of fixed mode in vectors, by what changed:");
    let mut kinds: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for case in operators
        .iter()
        .chain(&logic)
        .filter(|c| !same(&c.want, &c.fixed))
    {
        let op = case.name.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let op = if case.name.starts_with('{') {
            "logic".to_owned()
        } else {
            op
        };
        let key = format!("{op}: {} -> {}", word(&case.want), word(&case.fixed));
        let entry = kinds.entry(key).or_insert((0, &case.name));
        entry.0 += 1;
    }
    for (key, (count, example)) in &kinds {
        println!(
            "  {count:4} x {key}, as in {example}: {}",
            vector_reason(key)
        );
    }
    let unexplained = |c: &&Case| c.want != c.fixed && plugin_reason(c) == "not explained";
    assert_eq!(plugins.iter().filter(unexplained).count(), 0);
    assert!(!operators.is_empty() && !logic.is_empty() && !plugins.is_empty());
    assert_eq!(differences.len(), 0);
}

fn plugin_reason(case: &Case) -> &'static str {
    match (word(&case.want), word(&case.fixed)) {
        (_, "match") if case.name.contains("issuer-equals-cn") => {
            "a template resolves to the fact it names"
        }
        ("match", "no match") if case.name.contains("template-literal") => {
            "a template is no literal text"
        }
        (_, "match") => {
            "`exists: false` holds for what is absent, or a key under it counts as present"
        }
        ("error", "no match") => {
            "a rule is false, so AND is false whatever the error in the other would be"
        }
        _ => "not explained",
    }
}

fn vector_reason(change: &str) -> &'static str {
    if change.contains("-> error") {
        "fixed mode refuses the value or word at load, or reports an error instead of `no match`"
    } else if change.contains("error ->") {
        "a spelling, a version or a time that fixed mode understands, or the list is matched item by item"
    } else if change.contains("-> match") {
        "absence satisfies `exists: false`; list items, numbers and times compare as such"
    } else {
        "values compare by type, not by printed form"
    }
}
