//! Plugin files of good form.

use proptest::collection::vec;
use proptest::prelude::*;

use super::key;
use crate::domain::Operator;

/// Values as YAML text: every type, and texts that look like other types.
fn yaml_value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("~".to_owned()),
        any::<i64>().prop_map(|i| i.to_string()),
        any::<u64>().prop_map(|u| u.to_string()),
        any::<f64>().prop_map(|f| format!("{f:e}")),
        prop::sample::select(vec![
            "8.5",
            "'8.5'",
            "1.2.3",
            "OpenSSH_8.9p1",
            "2024-01-02",
            "x",
            "'{{a.b}}'",
            "'^x+$'",
            "[",
            "''",
            "1e400",
            ".nan"
        ])
        .prop_map(ToOwned::to_owned),
        "[a-zA-Z0-9 .*+?(|)^$]{0,12}".prop_map(|t| format!("'{t}'")),
    ];
    prop_oneof![
        4 => scalar.clone(),
        1 => vec(scalar, 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
    ]
}

fn operator() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => prop::sample::select(&Operator::ALL[..]).prop_map(|op| op.as_str().to_owned()),
        1 => prop::sample::select(vec!["startswith", "Equals", "not_in"]).prop_map(ToOwned::to_owned),
    ]
}

/// A value that the operator can work with.
fn fitting(operator: String) -> BoxedStrategy<(String, String)> {
    let value: BoxedStrategy<&'static str> = match operator.as_str() {
        "exists" => prop::sample::select(vec!["true", "false"]).boxed(),
        "matches" => prop::sample::select(vec!["'^x'", "'[0-9]+'", "'a|b'", "'(?i)open'"]).boxed(),
        "in" | "notIn" | "not_in" => {
            prop::sample::select(vec!["[x, 1]", "['8.5', true]", "[x]"]).boxed()
        }
        "between" => prop::sample::select(vec!["[1, 10]", "[-1.5, '3']"]).boxed(),
        "version_between" => prop::sample::select(vec!["['1.0', '9.0']"]).boxed(),
        "gt" | "gte" | "lt" | "lte" => {
            prop::sample::select(vec!["5", "'8.5'", "-1", "2024-01-02"]).boxed()
        }
        op if op.starts_with("version") => {
            prop::sample::select(vec!["'8.5'", "'1.2.3-rc.1'", "'{{a}}'"]).boxed()
        }
        _ => prop::sample::select(vec!["x", "'8.5'", "true", "''", "'{{a.b}}'"]).boxed(),
    };
    value
        .prop_map(move |value| (operator.clone(), value.to_owned()))
        .boxed()
}

/// A plugin file that loads in fixed mode.
pub fn plugin_file() -> impl Strategy<Value = String> {
    let condition = (key(), operator().prop_flat_map(fitting), any::<bool>()).boxed();
    let logic = prop::sample::select(vec!["AND", "OR", "NOT"]);
    (
        vec(condition.clone(), 0..2),
        vec(condition, 0..5),
        logic,
        any::<bool>(),
    )
        .prop_map(|(triggers, rules, logic, id)| {
            let mut out = String::from(
                "name: n\nversion: 1.0.0\ntype: evaluation\nauthor: a\nmetadata: {severity: low}\n",
            );
            if id {
                out.push_str("id: generated-plugin\n");
            }
            out.push_str("output: {vulnerability: true, message: 'm {{a.b}}'}\ntriggers:\n");
            for (key, (op, value), _) in &triggers {
                let rule_only = Operator::alias(op).is_none_or(|o| !o.is_condition());
                let (op, value) = if rule_only {
                    ("exists", "true")
                } else {
                    (op.as_str(), value.as_str())
                };
                out.push_str(&format!(
                    "  - {{data_key: {key}, condition: {op}, value: {value}}}\n"
                ));
            }
            if !rules.is_empty() {
                out.push_str(&format!("match:\n  logic: {logic}\n  rules:\n"));
                for (key, (op, value), banner) in &rules {
                    let from = if *banner {
                        ", version_from: banner"
                    } else {
                        ""
                    };
                    out.push_str(&format!(
                        "    - {{field: {key}, operator: {op}, value: {value}{from}}}\n"
                    ));
                }
            }
            out
        })
}

/// A plugin file whose rules need not mean anything.
pub(super) fn odd_plugin() -> impl Strategy<Value = String> {
    let word = prop_oneof![4 => operator(), 1 => "[a-z]{0,6}"];
    let rules = vec((key(), word, yaml_value()), 1..6);
    (rules, prop::sample::select(vec!["AND", "OR", "NOT", "and", "''"])).prop_map(|(rules, logic)| {
        let mut out = String::from("name: n\nversion: 1.0.0\ntype: evaluation\nauthor: a\nmetadata: {severity: low}\noutput: {message: m}\n");
        out.push_str(&format!("match:\n  logic: {logic}\n  rules:\n"));
        for (key, op, value) in rules {
            out.push_str(&format!("    - {{field: {key}, operator: '{op}', value: {value}}}\n"));
        }
        out
    })
}
