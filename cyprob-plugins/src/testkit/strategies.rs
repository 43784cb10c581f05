//! Generators of plugin files, good and bad, and of facts.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::domain::{FactSet, Operator, TimeValue, Value};

/// Keys that plugins and facts of these generators share.
const KEYS: [&str; 8] = [
    "a",
    "a.b",
    "a.b.c",
    "http.headers",
    "http.headers.server",
    "ssh.version",
    "service.port",
    "z",
];

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&KEYS[..])
}

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
fn odd_plugin() -> impl Strategy<Value = String> {
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

/// Pieces out of which hostile documents are put together.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        ", ",
        "- ",
        "? ",
        "& ",
        "&a ",
        "*a ",
        "! ",
        "!!str ",
        "| ",
        "> ",
        "'",
        "\"",
        "# ",
        "\n",
        "\r",
        "\n  ",
        "\t",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "<<: ",
        "name",
        "match",
        "rules",
        "\\",
        "\0",
        "a: ",
        "1",
        "~",
    ]);
    (vec(piece, 0..200), 1_usize..60)
        .prop_map(|(pieces, times)| pieces.concat().repeat(times).into_bytes())
}

/// Large files of one kind of repetition.
fn bulk() -> impl Strategy<Value = Vec<u8>> {
    let unit = prop::sample::select(vec![
        "{a: ",
        "[",
        "- ",
        "? ",
        "a: 1\n",
        "'a': 1\n",
        "x",
        "\"\\u0041",
        "# c\n",
        "\n",
        " ",
        "é",
        "%TAG !a! b\n",
        "- {a: 1}\n",
        "a:\n ",
        "!!str ",
        "|\n",
        "[,",
        "{,",
        "}{",
        "- - - ",
        "a: &a\n",
        "\u{2028}",
        "k: [1, 2]\n",
        ",",
        "a,",
        "[a, b]: c\n",
        "{[",
        "? - ",
    ]);
    (unit, 1_usize..300_000)
        .prop_map(|(unit, size)| unit.repeat(size / unit.len() + 1).into_bytes())
}

/// A plugin with patterns that try to be expensive.
fn patterns() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "a",
        ".",
        "\\pL",
        "[^a]",
        "(a|b)",
        "\\d",
        "(?i:é)",
        "[\\pN\\pS]",
        "\\b",
        "(.*)",
        "x*",
        "(?s:.)",
        "\\w",
    ]);
    let count = prop_oneof![3 => Just(String::new()), 1 => (0_u32..1200).prop_map(|n| format!("{{{n}}}")), 1 => Just("+".to_owned())];
    let pattern = vec((atom, count), 1..12).prop_map(|parts| {
        parts
            .into_iter()
            .map(|(a, c)| format!("{a}{c}"))
            .collect::<String>()
    });
    (vec(pattern, 1..4), 1_usize..400).prop_map(|(patterns, times)| {
        let rules: String = patterns.iter().map(|p| format!("    - {{field: a, operator: matches, value: '{p}'}}\n")).collect();
        format!(
            "name: n\nversion: 1.0.0\ntype: evaluation\nauthor: a\nmetadata: {{severity: low}}\noutput: {{message: m}}\nmatch:\n  logic: OR\n  rules:\n{}",
            rules.repeat(times)
        )
    })
}

/// A good file with damage: bytes changed, cut, or put in.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<prop::sample::Index>(), any::<u8>(), 0_u8..4);
    (plugin_file(), vec(damage, 1..4)).prop_map(|(text, damages)| {
        let mut bytes = text.into_bytes();
        for (at, byte, kind) in damages {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => {
                    if let Some(b) = bytes.get_mut(at) {
                        *b = byte;
                    }
                }
                1 => bytes.truncate(at),
                2 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        bytes
    })
}

/// Any file that somebody might hand in as a plugin.
pub fn any_plugin_file() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        5 => plugin_file().prop_map(String::into_bytes),
        2 => odd_plugin().prop_map(String::into_bytes),
        2 => damaged(),
        2 => soup(),
        2 => bulk(),
        2 => patterns().prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..2_000),
    ]
}

/// Any file that somebody might hand in as facts: the plugin files, and pieces
/// of JSON and of Nmap's XML.
pub fn any_fact_file() -> impl Strategy<Value = Vec<u8>> {
    let json = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"target\":\"h\"",
        "\"port\":22",
        "\"facts\":{",
        "\"a.b\":1",
        "1e5",
        "-0",
        "true",
        "null",
        "\"\\ud83d",
        "\\ude00\"",
        "\"\\",
        " ",
        "\n",
        "{\"a\":1}\n",
        "{\"facts\":{\"k\":[1,2]}}\n",
    ]);
    let xml = prop::sample::select(vec![
        "<?xml version=\"1.0\"?>",
        "<!DOCTYPE nmaprun>",
        "<!DOCTYPE nmaprun [",
        "]>",
        "<!ENTITY a \"b\">",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<nmaprun>",
        "</nmaprun>",
        "<host>",
        "</host>",
        "<ports>",
        "</ports>",
        "<port portid=\"22\">",
        "</port>",
        "<state state=\"open\"/>",
        "<service name=\"ssh\" product=\"OpenSSH\" version=\"9.2p1\"/>",
        "<script id=\"ssl-cert\" output=\"x\">",
        "</script>",
        "<script id=\"http-headers\" output=\"&#xa;HTTP/1.1 200&#xa;A: b\"/>",
        "<table key=\"validity\">",
        "</table>",
        "<elem key=\"notAfter\">2025-01-01T00:00:00</elem>",
        "&amp;",
        "&x;",
        "<",
        ">",
        "\"",
        "a=\"b\"",
        "é",
        "\n",
    ]);
    prop_oneof![
        2 => any_plugin_file(),
        3 => vec(json, 0..60).prop_map(|p| p.concat().into_bytes()),
        2 => vec(xml.clone(), 0..60).prop_map(|p| p.concat().into_bytes()),
        2 => (vec(xml, 0..8), any::<bool>()).prop_map(|(p, end)| {
            let tail = if end { "</port></ports></host></nmaprun>" } else { "" };
            format!(
                "<nmaprun><host><ports><port portid=\"22\"><state state=\"open\"/>{}{tail}",
                p.concat()
            )
            .into_bytes()
        }),
        2 => fact_set().prop_map(|set| {
            // As the library itself writes one; the texts are JSON-safe by it.
            set.iter().fold(String::from("{\"target\":\"h\",\"port\":1,\"facts\":{"), |mut out, (key, _)| {
                if !out.ends_with('{') {
                    out.push(',');
                }
                out.push_str(&format!("\"{key}\":[1,null,\"x\"]"));
                out
            }) + "}}\n"
        }).prop_map(String::into_bytes),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::whole),
        any::<f64>().prop_map(Value::Float),
        prop::sample::select(vec![
            "x",
            "8.5",
            "OpenSSH_8.9p1",
            "true",
            "",
            "2024-01-02",
            "5",
            "1.2.3"
        ])
        .prop_map(Value::text),
        any::<String>().prop_map(Value::text),
        (0_i64..2_000_000_000).prop_map(|s| Value::Time(Box::new(TimeValue::from_unix(s)))),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| vec(inner, 0..3).prop_map(Value::List))
}

/// Facts about the keys that the generated plugins ask for.
pub fn fact_set() -> impl Strategy<Value = FactSet> {
    (vec((key(), value()), 0..6), prop::option::of(any::<u16>())).prop_map(|(facts, port)| {
        // The target and the keys are fixed and valid, so nothing is left out.
        let mut set = FactSet::new("host", port).unwrap_or_default();
        for (key, value) in facts {
            let _ = set.insert(key, value);
        }
        set
    })
}
