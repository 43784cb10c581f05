//! The key-value engines that a configuration names.

use serde_json::json;

use super::stand::{Stand, address};
use crate::doctor::{Patient, Said};

fn look(stand: &Stand, patient: &Patient, mounts: &str) -> Said {
    let section = stand.section_with(&address(), mounts);
    let file = patient.file("token");
    patient.configure(&format!("{section}token_file = {{ path = {file:?} }}\n"));
    patient.doctor()
}

#[test]
fn a_mount_of_another_version_or_engine_and_one_that_is_missing_are_refused() {
    let stand = Stand::new();
    let name = stand.name.clone();
    let patient = stand.by_token(&stand.token(json!({})));
    let said = look(&stand, &patient, &format!("{name} = 1, {name}-v1 = 2"));
    let one = format!("vault mount {name}: configured with version 1, and has 2; mend");
    let two = format!("vault mount {name}-v1: configured with version 2, and has 1; mend");
    said.refuses(&[&[&one], &[&two]]);
    // Whoever may not look at mounts is not told whether there is one.
    let said = look(&stand, &patient, &format!("{name}-none = 1, sys = 1"));
    said.remarks(&["`read` on sys/mounts/NAME"]);
    let may_look = "path \"sys/mounts/*\" { capabilities = [\"read\"] }\n";
    stand.policy(&format!("{}{may_look}", stand.may_read()));
    let said = look(
        &stand,
        &patient,
        &format!("{name}-none = 1, sys = 1, {name} = 2"),
    );
    let none = format!("vault mount {name}-none: nothing is mounted there; enable");
    let other: &[&str] = &["vault mount sys: another engine", "mend the configuration"];
    said.refuses(&[&[&none], other]).remarks(&[]);
}
