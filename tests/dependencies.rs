//! What the crates pull in, read from `cargo tree -e normal,features`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test reports by panicking"
)]

use std::process::Command;

/// The lines of the tree of a package, without indentation.
fn tree(package: &str, options: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "-e",
            "normal,features",
            "--prefix",
            "none",
            "-f",
            "{p}|{f}",
        ])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .args(["-p", package])
        .args(options)
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree: {errors}");
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(
        lines.first().is_some_and(|line| line.contains(package)),
        "not a tree: {text}"
    );
    lines
}

/// Whether a package of this name is in a tree.
fn has(lines: &[String], package: &str) -> bool {
    lines
        .iter()
        .any(|line| line.split(' ').next() == Some(package))
}

/// The features of a package that are on, by its own line `name version|feature,...`.
fn features<'a>(lines: &'a [String], package: &str) -> Vec<&'a str> {
    let own = |line: &&String| line.split(' ').next() == Some(package);
    let mut found: Vec<&str> = lines
        .iter()
        .filter(own)
        .filter_map(|line| line.split_once('|'))
        .flat_map(|(_, list)| list.trim_end_matches(" (*)").split(','))
        .filter(|feature| !feature.is_empty())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The packages whose `testkit` feature is on.
fn testkits(lines: &[String]) -> Vec<&str> {
    let mut found: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.split(' ').next())
        .filter(|package| features(lines, package).contains(&"testkit"))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn core_without_features_is_small() {
    let lines = tree("cyprob-core", &["--no-default-features"]);
    let forbidden = [
        "sqlx",
        "sqlx-core",
        "sqlx-sqlite",
        "libsqlite3-sys",
        "axum",
        "axum-core",
        "hyper",
        "tower",
        "reqwest",
        "mio",
        "biscuit-auth",
        "cyprob-authz",
        "cyprob-audit",
        "cyprob-secrets",
        "cyprob-plugins",
        "cyprob",
    ];
    for package in forbidden {
        assert!(!has(&lines, package), "cyprob-core pulls {package}");
    }
    let tokio = features(&lines, "tokio");
    assert!(
        tokio.iter().all(|feature| *feature == "sync"),
        "tokio with {tokio:?}"
    );
    assert!(
        features(&lines, "cyprob-core").is_empty(),
        "a feature is on"
    );
    println!("{} lines, tokio with {tokio:?}", lines.len());
}

#[test]
fn the_same_reading_finds_what_a_feature_adds() {
    let lines = tree(
        "cyprob-core",
        &["--no-default-features", "--features", "sqlite,testkit"],
    );
    assert!(has(&lines, "sqlx"));
    assert!(
        features(&lines, "tokio")
            .iter()
            .any(|feature| *feature != "sync")
    );
    let lines = tree("cyprob", &["--features", "cyprob-core/testkit"]);
    assert_eq!(testkits(&lines), ["cyprob-core"]);
}

#[test]
fn no_crate_but_its_owner_pulls_a_private_library() {
    for package in [
        "cyprob-secrets",
        "cyprob-audit",
        "cyprob-plugins",
        "cyprob-core",
    ] {
        let lines = tree(package, &[]);
        assert!(!has(&lines, "biscuit-auth"), "{package} pulls biscuit-auth");
        assert!(!has(&lines, "axum"), "{package} pulls axum");
    }
}

#[test]
fn aws_comes_by_its_feature_alone_and_with_the_one_tls() {
    assert!(!has(&tree("cyprob", &[]), "aws-sdk-secretsmanager"));
    let lines = tree("cyprob", &["--features", "aws"]);
    assert!(has(&lines, "aws-sdk-secretsmanager") && has(&lines, "ring"));
    for other in [
        "aws-lc-rs",
        "aws-lc-sys",
        "openssl-sys",
        "native-tls",
        "s2n-tls",
    ] {
        assert!(!has(&lines, other), "{other} is pulled");
    }
    for one in ["rustls", "hyper", "h2", "http"] {
        let own = |line: &&String| line.starts_with(&format!("{one} v"));
        let own = lines.iter().filter(own);
        let mut versions: Vec<&str> = own.filter_map(|line| line.split('|').next()).collect();
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), 1, "{versions:?}");
    }
}

#[test]
fn the_reference_server_pulls_no_testkit() {
    for options in [&[][..], &["--all-features"]] {
        let lines = tree("cyprob-reference-server", options);
        assert!(has(&lines, "cyprob-core") && has(&lines, "cyprob-secrets"));
        let found = testkits(&lines);
        assert!(found.is_empty(), "{found:?}");
        assert!(!has(&lines, "proptest"), "proptest is pulled");
    }
}

#[test]
fn lines_of_a_tree_are_read() {
    let lines = [
        "tokio v1.0.0|rt,sync",
        "tokio feature \"sync\"",
        "tokio v1.0.0|rt,sync (*)",
        "bytes v1.0.0|",
        "cyprob-core v0.1.0 (/a)|system,testkit (*)",
    ]
    .map(str::to_owned);
    assert!(has(&lines, "tokio") && !has(&lines, "tok"));
    assert_eq!(features(&lines, "tokio"), ["rt", "sync"]);
    assert!(features(&lines, "bytes").is_empty());
    assert_eq!(testkits(&lines), ["cyprob-core"]);
}
