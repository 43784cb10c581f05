//! A binary that was made without the features of some sections.

use super::Patient;

#[test]
fn a_section_that_it_cannot_use_is_refused_and_names_the_feature() {
    let patient = Patient::new();
    let sections = [
        (
            "vault",
            cfg!(feature = "vault"),
            "vault://kv/a#b",
            "address = \"https://vault.example:8200\"",
        ),
        (
            "aws",
            cfg!(feature = "aws"),
            "awssm://a",
            "region = \"eu-central-1\"",
        ),
    ];
    for (section, built, reference, key) in sections {
        if built {
            continue;
        }
        patient.configure(&format!("[{section}]\n{key}\n"));
        for command in [&["doctor"][..], &["get", reference], &["list"]] {
            let (said, err) = patient.run(command);
            assert_eq!((said.status, said.text.as_str()), (Some(2), ""), "{err}");
            let told = format!("build it with `--features {section}`");
            assert!(err.contains(&told), "{err}");
        }
    }
    patient.configure("");
    patient.doctor().refuses(&[]);
}
