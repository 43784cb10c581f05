//! Facts out of the output of Nmap's scripts.

use roxmltree::Node;

use crate::domain::{TimeValue, Value};

use super::port::Facts;

/// One script's result.
pub(super) struct Script<'a, 'i> {
    pub(super) id: &'a str,
    pub(super) output: &'a str,
    node: Node<'a, 'i>,
}

impl<'a, 'i> Script<'a, 'i> {
    pub(super) fn of(node: Node<'a, 'i>) -> Option<Self> {
        Some(Self {
            id: node.attribute("id")?,
            output: node.attribute("output").unwrap_or_default(),
            node,
        })
    }
}

/// The named table or element under a node.
fn named<'a, 'i>(node: Node<'a, 'i>, tag: &str, key: &str) -> Option<Node<'a, 'i>> {
    node.children()
        .find(|n| n.has_tag_name(tag) && n.attribute("key") == Some(key))
}

fn elem<'a>(node: Node<'a, '_>, key: &str) -> Option<&'a str> {
    named(node, "elem", key).and_then(|n| n.text())
}

fn elems<'a>(node: Node<'a, '_>) -> Vec<&'a str> {
    node.children()
        .filter(|n| n.has_tag_name("elem"))
        .filter_map(|n| n.text())
        .collect()
}

/// Adds what a script says; one that is not known is kept as `nmap.<id>`.
pub(super) fn apply(script: &Script<'_, '_>, facts: &mut Facts) {
    let output = script.output.trim();
    match script.id {
        "banner" if facts.family.is_some() => {}
        "ssh2-enum-algos" => {
            for name in ["kex_algorithms", "mac_algorithms", "encryption_algorithms"] {
                if let Some(table) = named(script.node, "table", name) {
                    facts.add(&format!("ssh.{name}"), Value::texts(elems(table)));
                }
            }
        }
        "http-headers" => headers(script.output, facts),
        "http-server-header" => {
            let server = elems(script.node).first().copied().unwrap_or(output);
            facts.add("http.server", Value::text(server));
            facts.add("http.headers.server", Value::text(server));
        }
        "http-title" => {
            let title = elem(script.node, "title").unwrap_or(output);
            facts.add("http.title", Value::text(title));
        }
        "ssl-enum-ciphers" => ciphers(script, facts),
        "ssl-cert" => certificate(script, facts),
        "redis-info" => {
            let refused = ["NOAUTH", "Authentication required", "ERROR"]
                .iter()
                .any(|t| output.contains(t));
            facts.add("redis.auth_required", Value::Bool(refused));
            if !refused {
                facts.add("redis.info", Value::text(output));
            }
        }
        "ftp-anon" => {
            let allowed = output.contains("Anonymous FTP login allowed");
            facts.add("ftp.anonymous_login", Value::Bool(allowed));
        }
        // This script only ever speaks version 3.
        "snmp-info" => facts.add("snmp.version", Value::text("SNMPv3")),
        "snmp-brute" => {
            let valid: Vec<&str> = output
                .lines()
                .filter_map(|line| line.trim().strip_suffix("- Valid credentials"))
                .map(str::trim)
                .collect();
            match valid.as_slice() {
                [] => {}
                [one] => facts.add("snmp.community", Value::text(*one)),
                many => facts.add("snmp.community", Value::texts(many.iter().copied())),
            }
        }
        other => facts.add(&format!("nmap.{other}"), Value::text(output)),
    }
}

fn headers(output: &str, facts: &mut Facts) {
    let mut seen: Vec<(String, String)> = Vec::new();
    for line in output.lines().map(str::trim).take(200) {
        if let Some(status) = line.strip_prefix("HTTP/") {
            let code = status
                .split_whitespace()
                .nth(1)
                .and_then(|c| c.parse::<u16>().ok());
            if let Some(code) = code {
                facts.add("http.status", Value::Int(code.into()));
            }
            continue;
        }
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let token = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.is_empty() || !name.bytes().all(token) {
            continue;
        }
        let name = name.to_ascii_lowercase();
        let value = value.trim();
        // A header that comes twice is one list, as RFC 9110 has it.
        match seen.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => {
                old.push_str(", ");
                old.push_str(value);
            }
            None => seen.push((name, value.to_owned())),
        }
    }
    for (name, value) in seen {
        if name == "server" {
            facts.add("http.server", Value::text(value.as_str()));
        }
        facts.add(&format!("http.headers.{name}"), Value::text(value));
    }
}

/// Protocol versions from the weakest on.
const VERSIONS: [&str; 6] = ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

fn ciphers(script: &Script<'_, '_>, facts: &mut Facts) {
    let mut versions = Vec::new();
    let mut suites: Vec<&str> = Vec::new();
    for version in VERSIONS {
        let Some(table) = named(script.node, "table", version) else {
            continue;
        };
        versions.push(version);
        let ciphers = named(table, "table", "ciphers");
        for suite in ciphers
            .iter()
            .flat_map(|c| c.children())
            .filter_map(|c| elem(c, "name"))
        {
            // At most a few hundred suites exist, so the search is short.
            if suites.len() < 1000 && !suites.contains(&suite) {
                suites.push(suite);
            }
        }
    }
    if let Some(lowest) = versions.first() {
        facts.add("tls.version", Value::text(*lowest));
        facts.add(
            "tls.supported_versions",
            Value::texts(versions.iter().copied()),
        );
    }
    if let Some(first) = suites.first() {
        facts.add("tls.cipher", Value::text(*first));
        facts.add("tls.cipher_suites", Value::texts(suites.iter().copied()));
    }
}

fn certificate(script: &Script<'_, '_>, facts: &mut Facts) {
    let subject = named(script.node, "table", "subject");
    let issuer = named(script.node, "table", "issuer");
    let name = |table: Node<'_, '_>| {
        elem(table, "commonName")
            .or_else(|| elem(table, "organizationName"))
            .map(ToOwned::to_owned)
    };
    if let Some(common) = subject.and_then(|s| elem(s, "commonName")) {
        facts.add("tls.certificate.common_name", Value::text(common));
    }
    if let Some(issuer) = issuer.and_then(name) {
        facts.add("tls.certificate.issuer", Value::text(issuer));
    }
    if let (Some(subject), Some(issuer)) = (subject, issuer) {
        let pairs = |table: Node<'_, '_>| {
            let mut pairs: Vec<(String, String)> = table
                .children()
                .filter(|n| n.has_tag_name("elem"))
                .map(|n| {
                    (
                        n.attribute("key").unwrap_or_default().to_owned(),
                        n.text().unwrap_or_default().to_owned(),
                    )
                })
                .collect();
            pairs.sort();
            pairs
        };
        facts.add(
            "tls.certificate.is_self_signed",
            Value::Bool(pairs(subject) == pairs(issuer)),
        );
    }
    let extensions = named(script.node, "table", "extensions");
    let names = extensions
        .iter()
        .flat_map(|e| e.children())
        .find(|e| elem(*e, "name") == Some("X509v3 Subject Alternative Name"))
        .and_then(|e| elem(e, "value"));
    if let Some(names) = names {
        let names: Vec<&str> = names
            .split(',')
            .filter_map(|n| n.trim().strip_prefix("DNS:"))
            .collect();
        facts.add("tls.certificate.dns_names", Value::texts(names));
    }
    let Some(validity) = named(script.node, "table", "validity") else {
        return;
    };
    // Nmap writes UTC, mostly without saying so.
    let time = |key: &str| {
        let text = elem(validity, key)?;
        TimeValue::parse_yaml(text).or_else(|| TimeValue::parse_yaml(&format!("{text}Z")))
    };
    if let Some(from) = time("notBefore") {
        facts.add("tls.certificate.not_before", Value::Time(Box::new(from)));
    }
    if let Some(until) = time("notAfter") {
        if let Some(end) = facts.end {
            facts.add(
                "tls.certificate.is_expired",
                Value::Bool(end >= until.instant().0),
            );
        }
        facts.add("tls.certificate.not_after", Value::Time(Box::new(until)));
    }
}
