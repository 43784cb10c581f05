//! The table for people.

use std::fmt::Write as _;

use crate::claims::{Answer, Claims};

const HEAD: &str = "# OWASP ASVS 5.0

What this project says to the chapters V6 to V9 and V16 of the Application
Security Verification Standard 5.0.0 (owasp.org, CC BY-SA 4.0). Numbers and
levels are the standard's, whose text says what each asks; the few words beside
them are ours.

- **held**: tests in this repository fail when it is broken; each is named by file and function.
- **host**: the application that embeds cyprob, or who runs it, has to do it.
- **not applicable**: there is nothing here that it is about.
- **open**: something is missing.

This page is made from `asvs.toml` by `CYPROB_BLESS=1 cargo test --test asvs`,
which otherwise fails when the page, a named test or a requirement is not there.
";

const CHAPTERS: [(&str, &str); 5] = [
    ("6", "Authentication"),
    ("7", "Session management"),
    ("8", "Authorization"),
    ("9", "Self-contained tokens"),
    ("16", "Security logging and error handling"),
];

/// How many requirements have which answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    held: usize,
    host: usize,
    not_applicable: usize,
    open: usize,
}

impl Tally {
    fn of(claims: &Claims, level: impl Fn(u8) -> bool) -> Self {
        let mut tally = Self::default();
        for claim in claims.requirement.iter().filter(|claim| level(claim.level)) {
            match claim.answer() {
                Ok(Answer::Held(_)) => tally.held += 1,
                Ok(Answer::Host(_)) => tally.host += 1,
                Ok(Answer::NotApplicable(_)) => tally.not_applicable += 1,
                Ok(Answer::Open(_)) | Err(_) => tally.open += 1,
            }
        }
        tally
    }
}

/// The counts on one line.
pub(crate) fn counts(claims: &Claims) -> String {
    let Tally {
        held,
        host,
        not_applicable,
        open,
    } = Tally::of(claims, |_| true);
    let all = claims.requirement.len();
    format!(
        "asvs: {all} requirements: {held} held, {host} host, {not_applicable} not applicable, {open} open"
    )
}

/// The page.
pub(crate) fn render(claims: &Claims) -> String {
    let mut page = HEAD.to_owned();
    page.push_str(
        "\n| level | held | host | not applicable | open |\n| --- | --- | --- | --- | --- |\n",
    );
    let rows = [
        ("1", Some(1)),
        ("2", Some(2)),
        ("3", Some(3)),
        ("all", None),
    ];
    for (name, level) in rows {
        let tally = Tally::of(claims, |of| level.is_none_or(|level| of == level));
        let Tally {
            held,
            host,
            not_applicable,
            open,
        } = tally;
        let _ = writeln!(
            page,
            "| {name} | {held} | {host} | {not_applicable} | {open} |"
        );
    }
    for (number, name) in CHAPTERS {
        let _ = write!(
            page,
            "\n## V{number} {name}\n\n| id | level | about | answer |\n| --- | --- | --- | --- |\n"
        );
        let chapter = format!("{number}.");
        for claim in &claims.requirement {
            if claim.id.starts_with(&chapter) {
                let answer = claim.answer().map_or(String::new(), answer);
                let _ = writeln!(
                    page,
                    "| {} | {} | {} | {answer} |",
                    claim.id, claim.level, claim.title
                );
            }
        }
    }
    page
}

fn answer(answer: Answer<'_>) -> String {
    match answer {
        Answer::Held(tests) => {
            let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
            format!("held: {}", tests.join("<br>"))
        }
        Answer::Host(what) => format!("host: {what}"),
        Answer::NotApplicable(why) => format!("not applicable: {why}"),
        Answer::Open(what) => format!("**open**: {what}"),
    }
}

#[test]
fn a_page_shows_each_answer_and_counts_it() {
    let text = "[[requirement]]\nid = \"6.1.1\"\nlevel = 1\ntitle = \"T\"\nheld = [\"a.rs::b\"]\n\
                [[requirement]]\nid = \"16.1.1\"\nlevel = 2\ntitle = \"U\"\nopen = \"much\"\n";
    let claims = Claims::parse(text).unwrap();
    let page = render(&claims);
    for line in [
        "| 1 | 1 | 0 | 0 | 0 |",
        "| 2 | 0 | 0 | 0 | 1 |",
        "| all | 1 | 0 | 0 | 1 |",
        "| 6.1.1 | 1 | T | held: `a.rs::b` |",
        "| 16.1.1 | 2 | U | **open**: much |",
    ] {
        assert!(page.lines().any(|there| there == line), "{line}\n{page}");
    }
    let all = "asvs: 2 requirements: 1 held, 0 host, 0 not applicable, 1 open";
    assert_eq!(counts(&claims), all);
}
