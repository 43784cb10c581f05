//! The table of OWASP ASVS 5.0: each requirement is held by tests that exist, or says who holds it.
//!
//! `docs/manual/asvs.toml` is what is claimed; `docs/manual/asvs.md`, the list of
//! actions in `logging.md` and the values in `accounts.md` are made from it and from
//! the sources:
//!
//! ```text
//! CYPROB_BLESS=1 cargo test --test asvs
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test reports by panicking"
)]

#[path = "asvs/actions.rs"]
mod actions;
#[path = "asvs/claims.rs"]
mod claims;
#[path = "architecture/lexer.rs"]
#[allow(dead_code, reason = "the house rules use the rest")]
mod lexer;
#[path = "asvs/manual.rs"]
mod manual;
#[path = "asvs/settings.rs"]
mod settings;
#[path = "asvs/sources.rs"]
mod sources;
#[path = "asvs/table.rs"]
mod table;

use std::path::PathBuf;

use claims::{Claims, Requirement};
use sources::Sources;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn requirements() -> Vec<Requirement> {
    claims::requirements(&read("tests/asvs/requirements.txt"))
}

fn claimed() -> Claims {
    Claims::parse(&read("docs/manual/asvs.toml")).unwrap()
}

/// The file must be this text; with `CYPROB_BLESS` it is made to be.
#[track_caller]
fn expect_file(path: &str, text: &str) {
    if std::env::var_os("CYPROB_BLESS").is_some() {
        std::fs::write(root().join(path), text).unwrap();
    }
    assert!(
        read(path) == text,
        "{path} is not what its sources make: CYPROB_BLESS=1 cargo test --test asvs"
    );
}

#[test]
fn every_requirement_is_there_once_with_its_level_and_one_answer() {
    let broken = claimed().against(&requirements());
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_test_that_is_named_is_a_test() {
    let sources = Sources::read(&root());
    let broken: Vec<String> = claimed()
        .held()
        .filter_map(|(id, test)| {
            sources
                .fault(test)
                .map(|fault| format!("{id}: {test}: {fault}"))
        })
        .collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_test_that_names_a_requirement_is_named_by_it() {
    let sources = Sources::read(&root());
    let named = sources.named_after_requirements();
    let broken = claimed().unnamed(&named);
    println!("{} tests are named after a requirement", named.len());
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_table_is_what_the_claims_make() {
    let claims = claimed();
    println!("{}", table::counts(&claims));
    expect_file("docs/manual/asvs.md", &table::render(&claims));
}

#[test]
fn asvs_16_1_1_the_inventory_of_logs_names_every_action() {
    let actions = actions::of(&read("cyprob-core/src/domain/audit/action.rs"));
    assert!(actions.len() > 40, "{} actions found", actions.len());
    let page = read("docs/manual/logging.md");
    expect_file(
        "docs/manual/logging.md",
        &actions::into_page(&page, &actions),
    );
}

#[test]
fn asvs_6_1_1_the_manual_lists_every_value_of_the_account_policy() {
    let policy = root().join("cyprob-core/src/domain/account_policy");
    let files = std::fs::read_dir(policy).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let sources = files.iter().filter(|file| file.extension().is_some());
    let texts: Vec<String> = sources
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let values: Vec<_> = texts.iter().flat_map(|text| settings::of(text)).collect();
    // Whatever has a setter is a value.
    let declared: usize = texts
        .iter()
        .map(|text| text.matches(" / with_").count())
        .sum();
    assert_eq!(values.len(), declared, "a value cannot be read");
    assert!(values.len() > 10, "{} values found", values.len());
    let page = read("docs/manual/accounts.md");
    expect_file(
        "docs/manual/accounts.md",
        &settings::into_page(&page, &values),
    );
}
