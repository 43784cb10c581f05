//! Diagnostics as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cyprob::plugins::domain::Level;
use serde_json::{Value, json};

use super::lint::FileReport;

/// One run of the tool `cyprob`.
pub(super) fn document(reports: &[FileReport]) -> Value {
    let all = || {
        reports
            .iter()
            .flat_map(|r| r.diagnostics.iter().map(move |d| (r, d)))
    };
    let rules: BTreeSet<&str> = all().map(|(_, d)| d.code.as_str()).collect();
    let results: Vec<Value> = all()
        .map(|(report, d)| {
            json!({
                "ruleId": d.code,
                "level": match d.severity {
                    Level::Error => "error",
                    Level::Warning => "warning",
                    Level::Info => "note",
                },
                "message": { "text": d.message },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(&report.file) },
                        "region": { "startLine": d.line, "startColumn": d.column },
                    }
                }],
            })
        })
        .collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "cyprob",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>(),
                }
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// A path as a relative or absolute URI reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("a b/é:#.yaml"), "a%20b/%C3%A9%3A%23.yaml");
    }
}
