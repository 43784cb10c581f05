//! The house rules of the workspace, read from `cargo metadata` and the sources.
//!
//! Each rule is a function of a path and a text and has a test of its own that
//! shows it failing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test reports by panicking"
)]

#[path = "architecture/crates.rs"]
mod crates;
#[path = "architecture/length.rs"]
mod length;
#[path = "architecture/lexer.rs"]
mod lexer;
#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/rooms.rs"]
mod rooms;
#[path = "architecture/unsafety.rs"]
mod unsafety;

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path from the workspace's root, and its text.
struct Source {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the workspace, in order.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root(), &root(), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(root: &Path, dir: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            if !name.starts_with('.') && name != "target" {
                collect(root, &path, found);
            }
        } else if name.ends_with(".rs") {
            found.push(Source {
                path: path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
}

/// Applies a rule to every file; says how many files it saw.
fn check(rule: impl Fn(&str, &str) -> Vec<String>) {
    let sources = sources();
    assert!(sources.len() > 50, "only {} files found", sources.len());
    let broken: Vec<String> = sources
        .iter()
        .flat_map(|source| rule(&source.path, &source.text))
        .collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_room_imports_only_from_the_rooms_before_it() {
    check(rooms::order);
}

#[test]
fn sqlx_stays_in_adapters_and_axum_in_http() {
    check(rooms::third_parties);
}

#[test]
fn unsafe_stays_in_its_one_file() {
    check(unsafety::stays_in_its_file);
}

#[test]
fn files_are_short() {
    let listed = fs::read_to_string(root().join("tests/architecture/long-files.txt")).unwrap();
    let sources = sources();
    let lengths: Vec<(&str, usize)> = sources
        .iter()
        .map(|source| (source.path.as_str(), source.text.lines().count()))
        .collect();
    let broken = length::bounds(&lengths, &listed);
    println!(
        "{} files, median of those that are no tests: {} lines",
        lengths.len(),
        length::median(&lengths)
    );
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// The members of a workspace, and whom each depends on directly.
fn workspace(manifest: &str) -> (Vec<String>, Vec<crates::Edge>) {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join(manifest))
        .no_deps()
        .other_options(["--locked".to_owned()])
        .exec()
        .unwrap();
    let packages = metadata.workspace_packages();
    let edges = packages.iter().flat_map(|package| {
        package.dependencies.iter().map(|dependency| crates::Edge {
            from: package.name.to_string(),
            to: dependency.name.clone(),
            in_tests_only: dependency.kind == cargo_metadata::DependencyKind::Development,
        })
    });
    let members = packages.iter().map(|package| package.name.to_string());
    (members.collect(), edges.collect())
}

#[test]
fn crates_depend_only_on_whom_they_may() {
    let (mut members, mut edges) = workspace("Cargo.toml");
    let (apart, theirs) = workspace("benches/peers/Cargo.toml");
    // What is private to a crate of ours is a peer there.
    let ours = |edge: &crates::Edge| edge.to.starts_with("cyprob");
    edges.extend(theirs.into_iter().filter(ours));
    members.extend(apart);
    let broken = crates::rules(&members, &edges);
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}
