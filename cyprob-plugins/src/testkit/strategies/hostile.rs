//! Files that somebody might hand in as plugins.

use proptest::collection::vec;
use proptest::prelude::*;

use super::plugins::{odd_plugin, plugin_file};

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
