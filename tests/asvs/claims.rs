//! What is claimed of each requirement.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Most words of a title.
const TITLE_WORDS: usize = 12;

/// A requirement of the standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    pub(crate) id: String,
    pub(crate) level: u8,
}

/// Reads `ID LEVEL` lines.
pub(crate) fn requirements(text: &str) -> Vec<Requirement> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (id, level) = line.split_once(' ').expect("ID LEVEL");
            Requirement {
                id: id.to_owned(),
                level: level.parse().expect("a level"),
            }
        })
        .collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    pub(crate) requirement: Vec<Claim>,
}

/// One requirement: exactly one of `held`, `host`, `na` and `open`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claim {
    pub(crate) id: String,
    pub(crate) level: u8,
    pub(crate) title: String,
    held: Option<Vec<String>>,
    host: Option<String>,
    na: Option<String>,
    open: Option<String>,
}

/// Who holds a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer<'a> {
    /// These tests, each `FILE::NAME`.
    Held(&'a [String]),
    /// The host, by doing this.
    Host(&'a str),
    /// Nobody, because of this.
    NotApplicable(&'a str),
    /// Nobody yet: this is missing.
    Open(&'a str),
}

impl Claim {
    /// The one answer, or how many there are.
    pub(crate) fn answer(&self) -> Result<Answer<'_>, usize> {
        let held = self.held.as_deref().filter(|tests| !tests.is_empty());
        let all = [
            held.map(Answer::Held),
            given(&self.host).map(Answer::Host),
            given(&self.na).map(Answer::NotApplicable),
            given(&self.open).map(Answer::Open),
        ];
        let answers: Vec<_> = all.into_iter().flatten().collect();
        match answers[..] {
            [one] => Ok(one),
            _ => Err(answers.len()),
        }
    }
}

/// A text that says something.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.trim().is_empty())
}

impl Claims {
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Each test that holds something, with the requirement.
    pub(crate) fn held(&self) -> impl Iterator<Item = (&str, &str)> {
        self.requirement.iter().flat_map(|claim| {
            let tests = claim.held.iter().flatten();
            tests.map(|test| (claim.id.as_str(), test.as_str()))
        })
    }

    /// What is wrong beside the standard's own list.
    pub(crate) fn against(&self, requirements: &[Requirement]) -> Vec<String> {
        let mut broken = Vec::new();
        let ids: Vec<&str> = self.requirement.iter().map(|claim| &*claim.id).collect();
        let expected: Vec<&str> = requirements.iter().map(|it| &*it.id).collect();
        if ids != expected {
            let missing: Vec<_> = expected.iter().filter(|id| !ids.contains(id)).collect();
            let strange: Vec<_> = ids.iter().filter(|id| !expected.contains(id)).collect();
            broken.push(format!(
                "not each requirement once and in order; missing {missing:?}, unknown {strange:?}"
            ));
        }
        let levels: BTreeMap<&str, u8> =
            requirements.iter().map(|it| (&*it.id, it.level)).collect();
        for claim in &self.requirement {
            let id = &claim.id;
            if levels.get(&**id).is_some_and(|level| *level != claim.level) {
                broken.push(format!("{id}: its level is another"));
            }
            let words = claim.title.split_whitespace().count();
            if words == 0 || words > TITLE_WORDS {
                broken.push(format!("{id}: a title of {words} words"));
            }
            if let Err(answers) = claim.answer() {
                broken.push(format!("{id}: {answers} answers instead of one"));
            }
        }
        broken
    }

    /// Tests named after a requirement that does not name them, and requirements that name a test of another.
    pub(crate) fn unnamed(&self, tests: &[(String, String)]) -> Vec<String> {
        let mut broken = Vec::new();
        for (id, test) in tests {
            let known = self.requirement.iter().any(|claim| claim.id == *id);
            let named = self.held().any(|(of, name)| of == id && name == test);
            if known && !named {
                broken.push(format!(
                    "{test} says that it holds {id}, which does not name it"
                ));
            }
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# ids\n6.1.1 1\n6.1.2 2\n";

    fn claims(text: &str) -> Claims {
        Claims::parse(text).unwrap()
    }

    fn claim(id: &str, level: u8, answer: &str) -> String {
        format!("[[requirement]]\nid = {id:?}\nlevel = {level}\ntitle = \"A title\"\n{answer}\n")
    }

    #[test]
    fn a_table_that_holds_is_told_from_each_that_does_not() {
        let good = claim("6.1.1", 1, "na = \"why\"");
        let rest = claim("6.1.2", 2, "held = [\"a.rs::b\"]");
        let faults = |text: &str| claims(text).against(&requirements(LIST)).len();
        assert_eq!(faults(&format!("{good}{rest}")), 0);
        assert_eq!(faults(&good), 1, "one is missing");
        assert_eq!(
            faults(&format!("{good}{good}{rest}")),
            1,
            "one is there twice"
        );
        assert_eq!(faults(&format!("{rest}{good}")), 1, "out of order");
        let level = claim("6.1.1", 3, "na = \"why\"");
        assert_eq!(faults(&format!("{level}{rest}")), 1, "another level");
        for answer in ["", "na = \"\"", "held = []", "na = \"a\"\nhost = \"b\""] {
            let bad = claim("6.1.1", 1, answer);
            assert_eq!(faults(&format!("{bad}{rest}")), 1, "{answer}");
        }
        let long = good.replace("A title", &"word ".repeat(13));
        assert_eq!(faults(&format!("{long}{rest}")), 1, "a long title");
        assert!(Claims::parse(&claim("6.1.1", 1, "helt = []")).is_err());
    }

    #[test]
    fn a_test_that_nobody_names_is_found() {
        let claims = claims(&claim("6.1.1", 1, "held = [\"a.rs::asvs_6_1_1_x\"]"));
        let test = |id: &str, name: &str| [(id.to_owned(), name.to_owned())];
        assert!(
            claims
                .unnamed(&test("6.1.1", "a.rs::asvs_6_1_1_x"))
                .is_empty()
        );
        assert_eq!(
            claims.unnamed(&test("6.1.1", "a.rs::asvs_6_1_1_y")).len(),
            1
        );
        assert!(
            claims
                .unnamed(&test("1.1.1", "a.rs::asvs_1_1_1_x"))
                .is_empty()
        );
    }
}
