//! `cyprob secrets get` of a Vault.

use std::fs;

use serde_json::json;

use super::stand::{Stand, make};
use crate::data::VALUE;

#[test]
fn a_value_is_read_and_noted_and_shown_nowhere_else() {
    let stand = Stand::new();
    let name = &stand.name;
    make(
        "POST",
        &format!("{name}/data/app/db"),
        json!({"data": {"password": VALUE}}),
    );
    make("POST", &format!("{name}-v1/db"), json!({"password": VALUE}));
    let patient = stand.by_token(&stand.token(json!({})));
    let role = stand.by_role(&stand.secret_id(None), false);
    let versioned = format!("vault://{name}/app/db#password");
    let plain = format!("vault://{name}-v1/db#password");
    for patient in [&patient, &role] {
        for reference in [&versioned, &plain] {
            let (said, err) = patient.run(&["get", reference]);
            assert_eq!((said.status, said.text.as_str()), (Some(0), VALUE), "{err}");
        }
        let noted = fs::read_to_string(patient.data.path().join("operator-journal")).unwrap();
        assert_eq!(noted.lines().count(), 2, "{noted}");
        assert!(noted.contains(&format!("{versioned} version 1")), "{noted}");
        assert!(noted.contains(&plain) && !noted.contains(VALUE), "{noted}");
    }
    for (reference, told) in [
        (
            format!("vault://{name}/app/none#password"),
            "no such secret",
        ),
        (format!("vault://{name}/app/db#none"), "no such secret"),
        (
            "vault://elsewhere/a#b".to_owned(),
            "not under an allowed prefix",
        ),
        (format!("{plain}?version=1"), "keeps no versions"),
    ] {
        let (said, err) = patient.run(&["get", &reference]);
        assert_eq!((said.status, said.text.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(told), "{reference}: {err}");
    }
    // What cannot be noted is not shown.
    let journal = patient.data.path().join("operator-journal");
    fs::remove_file(&journal).unwrap();
    fs::create_dir(&journal).unwrap();
    let (said, err) = patient.run(&["get", &versioned]);
    assert_eq!((said.status, said.text.as_str()), (Some(3), ""), "{err}");
}

#[test]
fn a_vault_that_the_doctor_refuses_is_not_read() {
    let stand = Stand::new();
    let patient = stand.by_token(&super::stand::root());
    let (said, err) = patient.run(&["get", &format!("vault://{}/a#b", stand.name)]);
    assert_eq!((said.status, said.text.as_str()), (Some(2), ""), "{err}");
    assert!(
        err.contains("policy `root`") && err.contains("secrets doctor"),
        "{err}"
    );
}
