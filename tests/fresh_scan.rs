//! A scan that `scripts/test` makes with Debian's nmap of servers on loopback,
//! read into facts.
//!
//! Runs in the full test run, which says so by `CYPROB_FULL=1`; there a missing
//! scan is a failure.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test reports by panicking"
)]

use cyprob::plugins::adapters::read_facts;
use cyprob::plugins::domain::Value;
use cyprob::plugins::{FactSet, Limits};

/// The value of a variable that the full run sets.
fn set_by_full_run(name: &str) -> Option<String> {
    match std::env::var(name) {
        Ok(value) => Some(value),
        Err(_) if std::env::var("CYPROB_FULL").is_ok_and(|v| v == "1") => {
            panic!("{name} must be set in a full run")
        }
        Err(_) => {
            println!("left out: {name} is not set; scripts/test sets it");
            None
        }
    }
}

struct Scan(Vec<FactSet>);

impl Scan {
    fn read() -> Option<Self> {
        let bytes = std::fs::read(set_by_full_run("CYPROB_NMAP_XML")?).expect("the scan is there");
        let facts = read_facts(&bytes, None, &Limits::facts()).expect("nmap's XML is read");
        Some(Self(facts))
    }

    /// The facts of the service whose port the variable names.
    fn of(&self, variable: &str) -> &FactSet {
        let port = set_by_full_run(variable).expect("set with the scan");
        let port: u16 = port.parse().expect("a port");
        let mut found = self.0.iter().filter(|facts| facts.port() == Some(port));
        let facts = found.next().expect("the port is in the scan");
        assert!(found.next().is_none(), "two sets for port {port}");
        assert_eq!(facts.target(), "127.0.0.1");
        facts
    }
}

fn text<'a>(facts: &'a FactSet, key: &str) -> &'a str {
    match facts.get(key) {
        Some(Value::String(text)) => text,
        other => panic!("{key} is {other:?}"),
    }
}

fn texts<'a>(facts: &'a FactSet, key: &str) -> Vec<&'a str> {
    let Some(Value::List(items)) = facts.get(key) else {
        panic!("{key} is {:?}", facts.get(key));
    };
    let texts = items.iter().map(|item| match item {
        Value::String(text) => &**text,
        other => panic!("{key} holds {other:?}"),
    });
    texts.collect()
}

#[test]
fn every_server_of_the_scan_becomes_one_fact_set() {
    let Some(scan) = Scan::read() else { return };
    assert_eq!(scan.0.len(), 5);
    for facts in &scan.0 {
        assert!(!text(facts, "service.name").is_empty());
        let port = facts.port().map(i64::from).map(Value::Int);
        assert_eq!(facts.get("service.port"), port.as_ref());
    }
}

#[test]
fn the_ssh_server_is_told_with_its_algorithms() {
    let Some(scan) = Scan::read() else { return };
    let ssh = scan.of("CYPROB_NMAP_SSH_PORT");
    let version = text(ssh, "ssh.version");
    assert!(version.starts_with("OpenSSH_"), "{version}");
    assert!(text(ssh, "ssh.banner").starts_with(&format!("SSH-2.0-{version}")));
    assert!(texts(ssh, "ssh.kex_algorithms").contains(&"curve25519-sha256"));
    assert!(texts(ssh, "ssh.mac_algorithms").contains(&"hmac-sha2-256"));
    assert!(texts(ssh, "ssh.encryption_algorithms").contains(&"aes256-ctr"));
}

#[test]
fn the_tls_server_is_told_with_its_certificate() {
    let Some(scan) = Scan::read() else { return };
    let https = scan.of("CYPROB_NMAP_HTTPS_PORT");
    assert_eq!(text(https, "tls.version"), "TLSv1.2");
    assert_eq!(
        texts(https, "tls.supported_versions"),
        ["TLSv1.2", "TLSv1.3"]
    );
    assert!(texts(https, "tls.cipher_suites").contains(&text(https, "tls.cipher")));
    assert_eq!(text(https, "tls.certificate.common_name"), "scan.example");
    let names = texts(https, "tls.certificate.dns_names");
    assert!(
        names.contains(&"scan.example") && names.contains(&"localhost"),
        "{names:?}"
    );
    for (key, expected) in [("is_self_signed", true), ("is_expired", false)] {
        let key = format!("tls.certificate.{key}");
        assert_eq!(https.get(&key), Some(&Value::Bool(expected)), "{key}");
    }
}

#[test]
fn the_web_server_is_told_with_title_and_headers() {
    let Some(scan) = Scan::read() else { return };
    for variable in ["CYPROB_NMAP_HTTP_PORT", "CYPROB_NMAP_HTTPS_PORT"] {
        let http = scan.of(variable);
        assert_eq!(text(http, "http.title"), "cyprob scan target");
        assert!(text(http, "http.server").starts_with("nginx/"));
        assert_eq!(text(http, "http.headers.server"), text(http, "http.server"));
        assert!(text(http, "http.headers.content-type").starts_with("text/html"));
    }
    let plain = scan.of("CYPROB_NMAP_HTTP_PORT");
    assert!(!plain.has_under("tls"), "no TLS on the plain port");
}

#[test]
fn the_databases_are_told() {
    let Some(scan) = Scan::read() else { return };
    let redis = scan.of("CYPROB_NMAP_REDIS_PORT");
    assert!(text(redis, "redis.version").starts_with(|c: char| c.is_ascii_digit()));
    assert_eq!(redis.get("redis.auth_required"), Some(&Value::Bool(false)));
    let postgres = scan.of("CYPROB_NMAP_POSTGRES_PORT");
    assert_eq!(text(postgres, "service.name"), "postgresql");
    assert!(!text(postgres, "postgres.version").is_empty());
}
