//! AWS Secrets Manager: what the doctor says of it, and `cyprob secrets get` of it.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;

use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::ports::EntropyExt as _;
use rustix::fs::Mode;
use serde_json::{Value, json};

use super::Patient;
use crate::data::VALUE;

const TOKEN: &str = "w3b-1d3nt1ty-t0k3n-c0fe";

fn moto() -> String {
    std::env::var("CYPROB_MOTO").unwrap_or_else(|_| {
        panic!("CYPROB_MOTO is not set: run scripts/test, which starts the server and sets it")
    })
}

/// Calls Secrets Manager; moto takes any signature.
fn call(operation: &str, input: Value) {
    let signed = "AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=a";
    let answer = ureq::post(moto())
        .header("x-amz-target", format!("secretsmanager.{operation}"))
        .header("authorization", signed)
        .header("content-type", "application/x-amz-json-1.1")
        .send(input.to_string())
        .unwrap();
    assert_eq!(answer.status(), 200);
}

/// A name that no other test has.
fn name() -> String {
    format!("d{:016x}/db", u64::from_be_bytes(SystemEntropy.bytes()))
}

/// With a role that is taken with a token in a file, and these addresses.
fn by_role(endpoint: &str, tokens: &str) -> Patient {
    let mut patient = Patient::new();
    let token = patient.keep("token", TOKEN);
    patient.configure(&format!(
        "[aws]\nregion = \"eu-central-1\"\nendpoint = \"{endpoint}\"\ntoken_service = \"{tokens}\"\n\
         [aws.web_identity]\nrole = \"arn:aws:iam::123456789012:role/cyprob\"\n\
         session = \"doctor\"\ntoken_file = {token:?}\n"
    ));
    patient
}

/// With whatever AWS's own chain finds, which is nothing unless it is set.
fn by_chain() -> Patient {
    let mut patient = Patient::new();
    let moto = moto();
    patient.configure(&format!(
        "[aws]\nregion = \"eu-central-1\"\nendpoint = \"{moto}\"\ntoken_service = \"{moto}\"\n"
    ));
    for (variable, value) in [
        ("HOME", "/nonexistent"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ] {
        patient.set(variable, value);
    }
    patient
}

#[test]
fn a_role_is_praised_keys_are_remarked_and_no_keys_refused() {
    let by_role = by_role(&moto(), &moto());
    by_role.doctor().refuses(&[]).remarks(&[]).praises(&[
        "aws endpoint",
        "aws token file",
        "aws credentials: accepted",
        "aws caller arn:aws:sts::123456789012:assumed-role/cyprob/doctor",
        "aws secrets manager: answers",
    ]);
    let mut by_chain = by_chain();
    by_chain
        .doctor()
        .refuses(&[&["aws credentials", "none were found", "name a role"]]);
    let (said, err) = by_chain.run(&["get", "awssm://a"]);
    assert_eq!((said.status, said.text.as_str()), (Some(3), ""), "{err}");
    assert!(err.contains("no credentials were found"), "{err}");
    by_chain.set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    by_chain.hide("AWS_SECRET_ACCESS_KEY", "canary-of-the-key");
    by_chain.doctor().refuses(&[]).remarks(&["keys of a user"]);
}

#[test]
fn the_chain_sends_nothing_in_the_clear_wherever_the_environment_sends_it() {
    let mut patient = by_chain();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let clear = format!("http://0.0.0.0:{}", socket.local_addr().unwrap().port());
    let token = patient.keep("token", TOKEN);
    patient.set("AWS_ENDPOINT_URL_STS", clear);
    patient.set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/cyprob");
    patient.set("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap());
    let told = ["aws credentials", "found by AWS's own chain and not given"];
    patient.doctor().refuses(&[&told]);
    socket.set_nonblocking(true).unwrap();
    assert_eq!(socket.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    // What is on this machine is asked.
    patient.set("AWS_ENDPOINT_URL_STS", moto());
    patient
        .doctor()
        .refuses(&[])
        .praises(&["aws caller arn:aws:sts::123456789012:assumed-role/cyprob/"]);
}

#[test]
fn each_thing_that_is_wrong_has_a_line_with_its_remedy() {
    let patient = by_role(&moto(), &moto());
    fs::remove_file(patient.file("token")).unwrap();
    patient
        .doctor()
        .refuses(&[&["aws token file", "lays one there"]]);
    // A pipe into which nobody writes.
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        patient.file("token"),
        Mode::from_raw_mode(0o600),
    )
    .unwrap();
    patient
        .doctor()
        .refuses(&[&["aws token file", "holds no token"]]);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", socket.local_addr().unwrap());
    drop(socket);
    for (endpoint, tokens, part) in [
        (moto(), nobody.clone(), "aws token service"),
        (nobody, moto(), "aws secrets manager"),
    ] {
        let told = [
            part,
            "cannot be asked",
            "see that region and endpoint are right",
        ];
        by_role(&endpoint, &tokens).doctor().refuses(&[&told]);
    }
    let clear = "http://secrets.example";
    for (endpoint, tokens, key) in [
        (clear.to_owned(), moto(), "[aws] endpoint"),
        (moto(), clear.to_owned(), "[aws] token_service"),
        ("https://a:hidden@b/".to_owned(), moto(), "[aws] endpoint"),
    ] {
        let patient = by_role(&endpoint, &tokens);
        let said = patient.doctor();
        said.refuses(&[&[key, "write https://"]]);
        assert!(!said.text.contains("hidden"), "{}", said.text);
        let (said, err) = patient.run(&["get", "awssm://a"]);
        assert_eq!((said.status, said.text.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(key) && !err.contains("hidden"), "{err}");
    }
}

#[test]
fn a_value_is_read_by_version_stage_and_key_and_noted_and_shown_nowhere_else() {
    let (patient, name) = (by_role(&moto(), &moto()), name());
    let before = json!({"user": "app", "password": "the one before"}).to_string();
    call(
        "CreateSecret",
        json!({"Name": name, "SecretString": before, "ClientRequestToken": "00000000-0000-4000-8000-00000000000a"}),
    );
    let now = json!({"password": VALUE}).to_string();
    call(
        "PutSecretValue",
        json!({"SecretId": name, "SecretString": now, "ClientRequestToken": "00000000-0000-4000-8000-00000000000b"}),
    );
    let password = format!("awssm://{name}#password");
    for (reference, value) in [
        (password.clone(), VALUE),
        (format!("{password}?stage=AWSCURRENT"), VALUE),
        (format!("{password}?stage=AWSPREVIOUS"), "the one before"),
        (
            format!("{password}?version=00000000-0000-4000-8000-00000000000a"),
            "the one before",
        ),
    ] {
        let (said, err) = patient.run(&["get", &reference]);
        assert_eq!((said.status, said.text.as_str()), (Some(0), value), "{err}");
    }
    let noted = fs::read_to_string(patient.data.path().join("operator-journal")).unwrap();
    assert_eq!(noted.lines().count(), 4, "{noted}");
    let version = "version 00000000-0000-4000-8000-00000000000b";
    assert!(noted.contains(&format!("{password} {version}")), "{noted}");
    assert!(!noted.contains(VALUE), "{noted}");
    for (reference, told) in [
        (format!("awssm://{name}#none"), "no such secret"),
        (format!("awssm://{name}/none"), "no such secret"),
    ] {
        let (said, err) = patient.run(&["get", &reference]);
        assert_eq!((said.status, said.text.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(told), "{reference}: {err}");
    }
    patient.configure("");
    let (said, err) = patient.run(&["get", &password]);
    assert_eq!((said.status, said.text.as_str()), (Some(2), ""), "{err}");
}
