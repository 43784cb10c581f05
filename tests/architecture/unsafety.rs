//! Where `unsafe` may be written.

use crate::{lexer, rooms};

/// The wrapper around libyaml's event reader; see its own reasons.
const HOME: &str = "cyprob-core/src/adapters/document/events.rs";

/// `unsafe` is written in one file, tests included; no other may allow it.
pub(crate) fn stays_in_its_file(path: &str, text: &str) -> Vec<String> {
    let code = lexer::code(text);
    ["unsafe", "unsafe_code"]
        .into_iter()
        .filter(|word| path != HOME && rooms::has_word(&code, word))
        .map(|word| format!("{path}: `{word}` outside {HOME}"))
        .collect()
}

#[test]
fn unsafe_elsewhere_is_found() {
    for bad in [
        "unsafe { f() }",
        "unsafe fn f() {}",
        "unsafe impl Send for X {}",
        "#![allow(unsafe_code)]",
    ] {
        assert_eq!(stays_in_its_file("src/a.rs", bad).len(), 1, "{bad}");
        assert!(stays_in_its_file(HOME, bad).is_empty());
    }
    assert!(stays_in_its_file("src/a.rs", "// unsafe\n\"unsafe\" not_unsafe").is_empty());
}
