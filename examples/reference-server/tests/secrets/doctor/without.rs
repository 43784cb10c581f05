//! A binary that was made without the feature `vault`.

use super::Patient;

#[test]
fn a_section_that_it_cannot_use_is_refused_and_names_the_feature() {
    let patient = Patient::new();
    patient.configure("[vault]\naddress = \"https://vault.example:8200\"\n");
    for command in [&["doctor"][..], &["get", "vault://kv/a#b"], &["list"]] {
        let (said, err) = patient.run(command);
        assert_eq!((said.status, said.text.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains("build it with `--features vault`"), "{err}");
    }
    patient.configure("");
    patient.doctor().refuses(&[]);
}
