//! Facts, and files that somebody might hand in as such.

use proptest::collection::vec;
use proptest::prelude::*;

use super::hostile::any_plugin_file;
use super::key;
use crate::domain::{FactSet, TimeValue, Value};

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
