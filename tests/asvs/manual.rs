//! What the manual states, held against what is in force.

use std::collections::BTreeSet;
use std::time::Duration;

use cyprob::core::domain::SessionPolicy;

use crate::sources::Sources;
use crate::{read, root};

/// The rows of the first table below a heading, without its head; each row by cells.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let section = page
        .split_once(&format!("\n## {heading}\n"))
        .map(|(_, section)| section.split("\n## ").next().unwrap_or_default());
    let section = section.unwrap_or_else(|| panic!("no section {heading}"));
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    let table: Vec<&str> = lines.take_while(|line| line.starts_with('|')).collect();
    assert!(table.len() > 2, "no table below {heading}");
    table[2..]
        .iter()
        .map(|row| {
            let cells = row.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().replace('`', "")).collect()
        })
        .collect()
}

/// Every row's last cell names a test that is there.
fn expect_tests(heading: &str) {
    let sources = Sources::read(&root());
    let rows = rows(&read("docs/manual/access.md"), heading);
    assert!(rows.len() > 5, "{} rows", rows.len());
    let fault = |row: &Vec<String>| {
        let test = row.last().map_or("", |cell| cell);
        sources
            .fault(test)
            .map(|fault| format!("{}: {test}: {fault}", row[0]))
    };
    let broken: Vec<String> = rows.iter().filter_map(fault).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn asvs_8_1_2_each_field_rule_of_the_manual_has_its_test() {
    expect_tests("Fields");
}

#[test]
fn asvs_8_1_3_each_attribute_of_the_manual_has_its_test() {
    expect_tests("Context");
}

#[test]
fn asvs_6_1_3_the_manual_lists_every_way_in() {
    let rows = rows(&read("docs/manual/accounts.md"), "Ways in");
    let written: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let routes = read("src/http/public_routes.txt");
    // What is public and only read gives nobody anything.
    let public = routes.lines().filter(|line| !line.starts_with("GET "));
    let public: BTreeSet<&str> = public
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(written, public);
}

type Setter = fn(SessionPolicy, Duration) -> bool;

#[test]
fn asvs_7_1_1_the_manual_states_the_lifetimes_in_force() {
    let policy = SessionPolicy::default();
    let in_force: [(&str, Duration, Setter); 4] = [
        ("access token", policy.access_ttl(), |policy, to| {
            policy.with_access_ttl(to).is_ok()
        }),
        ("session without use", policy.idle(), |policy, to| {
            policy.with_idle(to).is_ok()
        }),
        ("session at most", policy.absolute(), |policy, to| {
            policy.with_absolute(to).is_ok()
        }),
        (
            "grace of a refresh token just used",
            policy.grace(),
            |policy, to| policy.with_grace(to).is_ok(),
        ),
    ];
    let rows = rows(&read("docs/manual/accounts.md"), "Lifetimes");
    assert_eq!(rows.len(), in_force.len());
    for (row, (name, default, takes)) in rows.iter().zip(in_force) {
        let seconds = |cell: usize| Duration::from_secs(row[cell].parse().unwrap());
        let second = Duration::from_secs(1);
        assert_eq!((row[0].as_str(), seconds(1)), (name, default));
        let (from, to) = (seconds(2), seconds(3));
        assert!(takes(policy, from) && takes(policy, to), "{name}");
        assert!(!takes(policy, to + second), "{name} takes more");
        if let Some(less) = from.checked_sub(second) {
            assert!(!takes(policy, less), "{name} takes less");
        }
    }
}

#[test]
fn a_table_is_read_and_its_end_is_seen() {
    let page =
        "# P\n\n## One\n\ntext\n\n| a | b |\n| --- | --- |\n| `x` | y |\n\n## Two\n\n| c |\n";
    assert_eq!(rows(page, "One"), [["x", "y"]]);
}
