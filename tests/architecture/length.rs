//! How long files may be.

use crate::rooms::is_test;

const MOST: usize = 700;
const SPLIT_AT: usize = 400;

/// No file over 700 lines; one over 400 only if it is listed, with its length.
///
/// A listed length is a ceiling and the list may only shrink: a file that grew
/// past it, or that no longer needs the entry, breaks the rule.
pub(crate) fn bounds(lengths: &[(&str, usize)], listed: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let mut entries: Vec<(&str, usize)> = Vec::new();
    for line in listed
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    {
        match line
            .split_once(' ')
            .and_then(|(n, path)| Some((path, n.parse().ok()?)))
        {
            Some(entry) => entries.push(entry),
            None => broken.push(format!("long-files.txt: `{line}` is not `LINES PATH`")),
        }
    }
    for &(path, lines) in lengths {
        let ceiling = entries
            .iter()
            .find(|(listed, _)| *listed == path)
            .map(|(_, n)| *n);
        if lines > MOST {
            broken.push(format!("{path}: {lines} lines, over {MOST}"));
        } else if lines > ceiling.unwrap_or(SPLIT_AT) {
            broken.push(format!(
                "{path}: {lines} lines, over {}; split it",
                ceiling.unwrap_or(SPLIT_AT)
            ));
        }
    }
    for (path, _) in entries {
        if !lengths
            .iter()
            .any(|(p, lines)| *p == path && *lines > SPLIT_AT)
        {
            broken.push(format!("long-files.txt: {path} needs no entry; remove it"));
        }
    }
    broken
}

/// The median number of lines of the files that are no tests.
pub(crate) fn median(lengths: &[(&str, usize)]) -> usize {
    let mut lines: Vec<usize> = lengths
        .iter()
        .filter(|(path, _)| !is_test(path))
        .map(|(_, lines)| *lines)
        .collect();
    lines.sort_unstable();
    lines.get(lines.len() / 2).copied().unwrap_or(0)
}

#[test]
fn long_files_and_stale_entries_are_found() {
    assert!(bounds(&[("a.rs", 400)], "").is_empty());
    assert_eq!(bounds(&[("a.rs", 401)], "").len(), 1);
    assert!(bounds(&[("a.rs", 500)], "# why\n500 a.rs\n").is_empty());
    assert_eq!(bounds(&[("a.rs", 501)], "500 a.rs").len(), 1);
    assert_eq!(bounds(&[("a.rs", 701)], "900 a.rs").len(), 1);
    assert_eq!(bounds(&[("a.rs", 400)], "500 a.rs").len(), 1);
    assert_eq!(bounds(&[], "500 gone.rs").len(), 1);
    assert_eq!(bounds(&[], "a.rs").len(), 1);
    assert_eq!(
        median(&[("a.rs", 1), ("b.rs", 5), ("c.rs", 9), ("x/tests.rs", 500)]),
        5
    );
}
