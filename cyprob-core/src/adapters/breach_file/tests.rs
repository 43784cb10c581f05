#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::fs;
use std::io::Write as _;

use super::*;
use crate::testkit::{FixedBreaches, breach_list};

/// As many different hashes, in no order.
fn hashes(count: u32) -> Vec<[u8; 20]> {
    (0..count)
        .map(|i| *BreachDigest::of(&format!("password number {i}").into()).as_bytes())
        .collect()
}

fn text(hashes: &[[u8; 20]], ending: &str) -> String {
    let mut sorted = hashes.to_vec();
    sorted.sort_unstable();
    let line = |(i, hash): (usize, &[u8; 20])| {
        format!(
            "{}:{}{ending}",
            hex::encode_upper(hash),
            10_usize.pow(i as u32 % 10)
        )
    };
    sorted.iter().enumerate().map(line).collect()
}

fn opened(text: &str) -> (tempfile::NamedTempFile, Result<BreachFile, BreachFileError>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.flush().unwrap();
    let list = BreachFile::open(file.path());
    (file, list)
}

#[test]
fn every_line_is_found_and_its_neighbours_are_not() {
    for count in [1, 2, 3, 7, 100, 5_000] {
        for ending in ["\n", "\r\n"] {
            let all = hashes(count);
            let full = text(&all, ending);
            for text in [full.as_str(), full.trim_end()] {
                let (_file, list) = opened(text);
                let list = list.unwrap().0;
                for hash in &all {
                    assert!(list.holds(hash).unwrap());
                    let mut other = *hash;
                    other[19] ^= 1;
                    assert!(!list.holds(&other).unwrap());
                }
                assert!(!list.holds(&[0; 20]).unwrap());
                assert!(!list.holds(&[0xff; 20]).unwrap());
            }
        }
    }
}

#[test]
fn what_is_no_sorted_list_is_not_opened() {
    let mut lines: Vec<String> = text(&hashes(400), "\n")
        .lines()
        .map(str::to_owned)
        .collect();
    let refused = |lines: &[String]| opened(&(lines.join("\n") + "\n")).1.unwrap_err();
    assert!(matches!(opened("").1.unwrap_err(), BreachFileError::Empty));
    assert!(matches!(
        opened("hello\n").1.unwrap_err(),
        BreachFileError::Malformed { .. }
    ));
    assert!(matches!(
        opened(&"x".repeat(9_999)).1.unwrap_err(),
        BreachFileError::Malformed { .. }
    ));
    lines.swap(100, 300);
    assert!(matches!(refused(&lines), BreachFileError::Unsorted { .. }));
    lines.swap(100, 300);
    lines.reverse();
    assert!(matches!(refused(&lines), BreachFileError::Unsorted { .. }));
    lines.reverse();
    lines[200].clear();
    assert!(matches!(refused(&lines), BreachFileError::Malformed { .. }));
}

#[test]
fn only_a_plain_file_is_opened() {
    let home = tempfile::tempdir().unwrap();
    let missing = BreachFile::open(&home.path().join("missing"));
    assert!(matches!(missing.unwrap_err(), BreachFileError::Read(_)));
    let directory = BreachFile::open(home.path());
    assert!(matches!(directory.unwrap_err(), BreachFileError::NotPlain));
    let device = BreachFile::open(Path::new("/dev/zero"));
    assert!(matches!(device.unwrap_err(), BreachFileError::NotPlain));
}

#[tokio::test]
async fn a_file_that_can_no_longer_be_read_says_so() {
    let all = hashes(500);
    let (file, list) = opened(&text(&all, "\n"));
    let list = list.unwrap();
    let known = BreachDigest::of(&"password number 7".into());
    assert!(list.holds(&known).await.unwrap());
    // Cut off, then filled up with what is no line.
    let len = fs::metadata(file.path()).unwrap().len();
    file.as_file().set_len(len / 2).unwrap();
    list.holds(&known).await.unwrap_err();
    file.as_file().set_len(len).unwrap();
    for i in 0..200 {
        let stranger = BreachDigest::of(&format!("stranger {i}").into());
        list.holds(&stranger).await.unwrap_err();
    }
}

#[test]
fn an_unsorted_place_on_the_way_is_found_out() {
    let all = hashes(401);
    let full = text(&all, "\n");
    let lines: Vec<&str> = full.lines().rev().collect();
    let (file, list) = opened(&full);
    let list = list.unwrap().0;
    fs::write(file.path(), lines.join("\n") + "\n").unwrap();
    let unsorted = |hash| matches!(list.holds(hash), Err(BreachFileError::Unsorted { .. }));
    let found_out = all.iter().filter(|hash| unsorted(hash)).count();
    assert!(found_out >= 399, "{found_out} of 401");
}

type Make = fn(&[BreachDigest]) -> Arc<dyn BreachList>;

/// The file adapter over a file that is gone by name, and the fake.
fn makers() -> [Make; 2] {
    [
        |listed| {
            let hashes: Vec<_> = listed.iter().map(|it| *it.as_bytes()).collect();
            Arc::new(opened(&text(&hashes, "\r\n")).1.unwrap())
        },
        |listed| Arc::new(FixedBreaches::new(listed)),
    ]
}

#[tokio::test]
async fn conformance() {
    for make in makers() {
        breach_list::every_listed_password_is_held(make).await;
        breach_list::no_other_password_is_held(make).await;
    }
}
