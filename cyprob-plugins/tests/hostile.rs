//! Every file of the hostile set gets its diagnosis, at its place.

use cyprob_plugins::adapters::parse_plugin;
use cyprob_plugins::testkit::hostile;
use cyprob_plugins::{Limits, Mode};

#[test]
fn every_hostile_file_is_diagnosed_at_its_place() {
    let mut wrong = Vec::new();
    for file in hostile::files() {
        let parsed = parse_plugin(&file.bytes, file.name, &Limits::plugin());
        let found = parsed
            .diagnostics()
            .iter()
            .any(|d| d.code.as_str() == file.code && (d.line, d.column) == file.at);
        if !found {
            let said: Vec<String> = parsed
                .diagnostics()
                .iter()
                .take(4)
                .map(ToString::to_string)
                .collect();
            wrong.push(format!(
                "{}: wanted {} at {:?}, got {said:?}",
                file.name, file.code, file.at
            ));
        }
        for d in parsed.diagnostics() {
            assert!(!d.message.contains('\u{1b}'), "{}", file.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_benign_file_loads() {
    let parsed = parse_plugin(&hostile::benign(), "b.yaml", &Limits::plugin());
    assert!(
        parsed.diagnostics().is_empty(),
        "{:?}",
        parsed.diagnostics()
    );
    assert!(parsed.into_plugin(Mode::Fixed).is_ok());
}
