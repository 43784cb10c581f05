//! What a configuration says of a Vault that need not be there.

use std::io::ErrorKind;
use std::net::TcpListener;

use super::{Patient, exposed};

const TOKEN: &str = "s.canary-of-the-token-1";

/// With a token file, and this address.
fn at(address: &str) -> Patient {
    let mut patient = Patient::new();
    let token = patient.keep("token", TOKEN);
    patient.configure(&format!(
        "[vault]\naddress = \"{address}\"\n[vault.token_file]\npath = {token:?}\n"
    ));
    patient
}

/// A port at which nobody answers.
fn nobody() -> String {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", socket.local_addr().unwrap())
}

const AWAY: &[&str] = &["vault server", "cannot be asked", "see that it runs"];

#[test]
fn nothing_is_sent_in_clear_to_another_machine() {
    let plain: &[&str] = &["vault address", "http to another machine", "use https"];
    at("http://vault.example:8200").doctor().refuses(&[plain]);
    // No loopback address, and yet one that reaches us.
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    at(&format!("http://0.0.0.0:{port}"))
        .doctor()
        .refuses(&[plain]);
    socket.set_nonblocking(true).unwrap();
    assert_eq!(socket.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_vault_that_is_away_is_told_and_so_is_all_else() {
    let mut patient = at(&nobody());
    patient.doctor().refuses(&[AWAY]);
    let unset = "is set in the environment; unset it";
    patient.set("VAULT_SKIP_VERIFY", "false");
    let vault: &[&str] = &["environment", "VAULT_SKIP_VERIFY", unset];
    patient.doctor().refuses(&[vault, AWAY]);
    patient.set("BAO_SKIP_VERIFY", "");
    let bao: &[&str] = &["environment: BAO_SKIP_VERIFY", unset];
    patient.doctor().refuses(&[vault, bao, AWAY]);
    exposed(&patient.file("token"), |told| {
        patient
            .doctor()
            .refuses(&[&["vault login file", told], vault, bao, AWAY]);
    });
}

#[test]
fn every_file_of_a_login_is_looked_at_as_the_login_reads_it() {
    let mut patient = Patient::new();
    let file = patient.keep("file", TOKEN);
    let address = nobody();
    let with = |login: &str| {
        patient.configure(&format!("[vault]\naddress = \"{address}\"\n{login}"));
    };
    for wrapped in [true, false] {
        with(&format!(
            "app_role = {{ role_id = \"a\", role_name = \"a\", secret_id_file = {file:?}, wrapped = {wrapped} }}"
        ));
        patient.doctor().refuses(&[AWAY]);
        exposed(&file, |told| {
            patient
                .doctor()
                .refuses(&[&["vault login file", told], AWAY]);
        });
    }
    // The platform lays that out; it must be there, and a token.
    with(&format!(
        "kubernetes = {{ role = \"a\", token_file = {file:?} }}"
    ));
    super::mode(&file, 0o644);
    patient.doctor().refuses(&[AWAY]);
    std::fs::write(&file, "two\nlines").unwrap();
    let none: &[&str] = &["vault login file", "no single line"];
    patient.doctor().refuses(&[none, AWAY]);
    std::fs::remove_file(&file).unwrap();
    let missing: &[&str] = &["vault login file", "is missing; deliver it"];
    patient.doctor().refuses(&[missing, AWAY]);
}

#[test]
fn authorities_that_are_none_are_told() {
    let mut patient = at("https://127.0.0.1:1");
    let ca = patient.keep("ca", "");
    let token = patient.file("token");
    let with = |ca: &std::path::Path| {
        patient.configure(&format!(
            "[vault]\naddress = \"https://127.0.0.1:1\"\nca_file = {ca:?}\ntoken_file = {{ path = {token:?} }}\n"
        ));
    };
    with(&ca);
    let none: &[&str] = &["vault certificates", "no usable certificate; write PEM"];
    patient.doctor().refuses(&[none]);
    with(&patient.file("no-such"));
    patient
        .doctor()
        .refuses(&[&["vault certificates", "cannot be read"]]);
}

#[test]
fn a_section_that_cannot_be_is_refused_and_shows_no_password() {
    let patient = Patient::new();
    let login = "token_file = { path = \"/a\" }\n";
    for (section, told) in [
        (
            format!("address = \"https://a:{TOKEN}@b\"\n{login}"),
            "user or password",
        ),
        (
            format!("address = \"https://b/v1\"\n{login}"),
            "host and port alone",
        ),
        ("address = \"https://b\"\n".to_owned(), "has 0"),
        (
            format!("address = \"https://b\"\n{login}kubernetes = {{ role = \"a\" }}\n"),
            "has 2",
        ),
    ] {
        patient.configure(&format!("[vault]\n{section}"));
        let said = patient.doctor();
        said.refuses(&[&["[vault]", told]]);
        assert!(!said.text.contains(TOKEN), "{}", said.text);
    }
    for (section, told) in [
        ("dangerous = true\n", "unknown field `dangerous`"),
        ("plain_http = true\n", "unknown field"),
        ("kv = { kv = 3 }\n", "is 1 or 2"),
        ("kv = { \"a/b\" = 1 }\n", "mount"),
        ("namespace = \"../a\"\n", "namespace"),
        ("app_role = { role_id = \"a\" }\n", "missing field"),
        ("kubernetes = { role = \"a/b\" }\n", "name"),
        (
            "token_file = { path = \"/a\", root = true }\n",
            "unknown field",
        ),
    ] {
        patient.configure(&format!("[vault]\naddress = \"https://b\"\n{section}"));
        let (said, err) = patient.run(&["doctor"]);
        assert_eq!((said.status, said.text.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(told), "{section}: {err}");
    }
}
