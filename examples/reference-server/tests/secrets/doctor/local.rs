//! Without a Vault: the master key, and the files of passwords.

use std::fs;

use super::{Patient, exposed, mode};

#[test]
fn a_deployment_that_is_well_is_praised() {
    let patient = Patient::new();
    patient.configure("");
    patient
        .doctor()
        .refuses(&[])
        .remarks(&[])
        .praises(&["master key", "local store"]);
}

#[test]
fn every_version_in_the_store_is_opened() {
    let patient = Patient::new();
    patient.configure("");
    let secrets = patient.data.path().join("secrets");
    let value = fs::read_dir(&secrets)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with("@1"))
        .unwrap();
    let whole = fs::read(&value).unwrap();
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&value, damaged).unwrap();
    patient
        .doctor()
        .refuses(&[&["local store", "bits were changed"]]);
    fs::write(&value, &whole).unwrap();
    mode(&value, 0o644);
    patient.doctor().refuses(&[&["local store", "chmod go="]]);
    mode(&value, 0o600);
    patient.doctor().refuses(&[]);
}

#[test]
fn a_password_in_the_configuration_makes_its_file_one_to_be_kept() {
    let patient = Patient::new();
    patient.configure("[postgres]\nurl = \"postgres://a:canary-url@127.0.0.1/a\"\n");
    let file = patient.file("cyprob.toml");
    mode(&file, 0o644);
    patient
        .doctor()
        .refuses(&[&["[postgres] has a password", "chmod o="]]);
    mode(&file, 0o600);
    patient.doctor().refuses(&[]);
}

#[test]
fn a_master_key_that_others_can_reach_is_refused() {
    let patient = Patient::new();
    patient.configure("");
    let key = patient.data.path().join("master-key");
    exposed(&key, |told| {
        patient.doctor().refuses(&[&["master key", told]]);
    });
    patient.doctor().refuses(&[]);
    fs::rename(&key, patient.file("away")).unwrap();
    let missing: &[&str] = &["master key", "is not there", "restore it"];
    patient.doctor().refuses(&[missing]);
    assert!(!key.exists());
}

#[test]
fn what_is_not_there_yet_is_a_remark_and_is_not_made() {
    let patient = Patient::new();
    patient.configure("");
    fs::remove_dir_all(patient.data.path()).unwrap();
    patient.doctor().refuses(&[]).remarks(&["is not there"]);
    assert!(!patient.data.path().exists());
}

#[test]
fn every_file_of_a_password_is_looked_at() {
    let mut patient = Patient::new();
    let node = patient.keep("node", "canary-node");
    let owner = patient.keep("owner", "canary-owner");
    let mail = patient.keep("mail", "canary-mail");
    let text = format!(
        "[postgres]\nurl = \"postgres://a@127.0.0.1/a\"\npassword_file = {node:?}\n\
         owner_password_file = {owner:?}\n\
         [mail]\nhost = \"127.0.0.1\"\nport = 1025\nsecurity = \"loopback\"\n\
         from = \"a@example.com\"\naccount = {{ user = \"a\", password_file = {mail:?} }}\n"
    );
    patient.configure(&text);
    patient
        .doctor()
        .refuses(&[])
        .praises(&["[postgres] password_file", "[mail.account]"]);
    mode(&node, 0o644);
    mode(&owner, 0o604);
    fs::remove_file(&mail).unwrap();
    // The master key is the fourth, and found all the same.
    mode(&patient.data.path().join("master-key"), 0o640);
    patient.doctor().refuses(&[
        &["[postgres] password_file", "chmod o="],
        &["[postgres] owner_password_file", "chmod o="],
        &["[mail.account] password_file", "put it there"],
        &["master key", "chmod go="],
    ]);
}
