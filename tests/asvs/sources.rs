//! Which tests there are, from the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::lexer;

/// Names that say which requirement a test holds begin so.
const PREFIX: &str = "asvs_";

/// Every Rust file without comments and literals, and every stage of `scripts/test`.
pub(crate) struct Sources(BTreeMap<String, String>);

impl Sources {
    pub(crate) fn read(root: &Path) -> Self {
        let mut found = BTreeMap::new();
        collect(root, root, &mut found);
        assert!(found.len() > 50, "only {} files found", found.len());
        Self(found)
    }

    /// Why `FILE::NAME` is no test, if it is none.
    pub(crate) fn fault(&self, test: &str) -> Option<&'static str> {
        let Some((path, name)) = test.split_once("::") else {
            return Some("is not FILE::NAME");
        };
        let Some(text) = self.0.get(path) else {
            return Some("there is no such file");
        };
        if path.ends_with(".sh") {
            let known = words(text).any(|word| word == name);
            return (!known).then_some("the stage does not say so");
        }
        let found = functions(text, name);
        if found.is_empty() {
            Some("there is no such function")
        } else if found.into_iter().any(is_test) || self.is_listed(path, name) {
            None
        } else {
            Some("the function is no test")
        }
    }

    /// Whether a macro makes a test of it: `subject { name ... }` in the `main.rs` or `mod.rs` of a
    /// folder, where the subject is the file in it or a folder of such files.
    fn is_listed(&self, path: &str, name: &str) -> bool {
        let mut inner = path.trim_end_matches(".rs");
        while let Some((folder, subject)) = inner.rsplit_once('/') {
            let listings =
                ["main.rs", "mod.rs"].map(|file| self.0.get(&format!("{folder}/{file}")));
            if listings
                .into_iter()
                .flatten()
                .any(|text| lists(text, subject, name))
            {
                return true;
            }
            inner = folder;
        }
        false
    }

    /// Every test that is named after a requirement: the requirement and `FILE::NAME`.
    pub(crate) fn named_after_requirements(&self) -> Vec<(String, String)> {
        let mut named = Vec::new();
        for (path, text) in &self.0 {
            let script = path.ends_with(".sh");
            let mut before = "";
            for word in words(text) {
                if (script || before == "fn")
                    && let Some(id) = requirement(word)
                {
                    named.push((id, format!("{path}::{word}")));
                }
                before = word;
            }
        }
        named.dedup();
        named
    }
}

fn collect(root: &Path, dir: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let below = path.strip_prefix(root).unwrap().to_str().unwrap();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                collect(root, &path, found);
            }
        } else if name.ends_with(".rs") {
            found.insert(
                below.to_owned(),
                lexer::code(&fs::read_to_string(&path).unwrap()),
            );
        } else if below.starts_with("scripts/test.d/") {
            found.insert(below.to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// The id in a name such as `asvs_6_2_4_common_ones`.
fn requirement(name: &str) -> Option<String> {
    let mut parts = name.strip_prefix(PREFIX)?.splitn(4, '_');
    let mut number = || parts.next().filter(|part| part.parse::<u8>().is_ok());
    let id = format!("{}.{}.{}", number()?, number()?, number()?);
    parts.next().map(|_| id)
}

/// What stands before each function of a name since the last item or statement.
fn functions<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let head = format!("fn {name}");
    let found = text.match_indices(&head).filter_map(|(at, _)| {
        let whole = text[at + head.len()..].starts_with(['(', '<']);
        let before = &text[..at];
        let begin = before.rfind([';', '{', '}']).map_or(0, |end| end + 1);
        whole.then(|| &before[begin..])
    });
    found.collect()
}

fn is_test(attributes: &str) -> bool {
    let dense: String = attributes.split_whitespace().collect();
    dense.contains("#[test]")
        || dense.contains("#[tokio::test]")
        || dense.contains("#[tokio::test(")
}

fn lists(text: &str, subject: &str, name: &str) -> bool {
    let head = format!("{subject} {{");
    text.match_indices(&head).any(|(at, _)| {
        let begins = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = &text[at + head.len()..];
        let block = &rest[..rest.find(['{', '}']).unwrap_or(0)];
        begins && words(block).any(|word| word == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let file = "#[test]\nfn asvs_6_2_4_plain() {}\n#[tokio::test(flavor = x)]\nasync fn slow() {}\nfn helper() {}\nfn slower() {}\nfn both(on: X) {}\nmod x { #[test] fn both() {} }";
        let listed = "pub(crate) async fn made(house: House) {}\nasync fn unmade(house: House) {}";
        let main = "over_every_store! { two { unmade } one { made } deep { below } }";
        let stage = "claim asvs_16_4_3_shipped true";
        let all = [
            ("a/b.rs", file),
            ("s/one.rs", listed),
            ("s/deep/below.rs", "async fn below() {}"),
            ("s/main.rs", main),
            ("scripts/test.d/1.sh", stage),
        ];
        let owned = |(path, text): (&str, &str)| (path.to_owned(), text.to_owned());
        Sources(all.map(owned).into())
    }

    #[test]
    fn tests_are_told_from_what_is_none() {
        let sources = sources();
        for good in [
            "a/b.rs::asvs_6_2_4_plain",
            "a/b.rs::slow",
            "a/b.rs::both",
            "s/one.rs::made",
            "s/deep/below.rs::below",
            "scripts/test.d/1.sh::asvs_16_4_3_shipped",
        ] {
            assert_eq!(sources.fault(good), None, "{good}");
        }
        for bad in [
            "slow",
            "a/c.rs::slow",
            "a/b.rs::slo",
            "a/b.rs::helper",
            "a/b.rs::slower",
            "s/one.rs::unmade",
            "scripts/test.d/1.sh::asvs_16_4_3",
        ] {
            assert!(sources.fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn names_of_requirements_are_read() {
        let named = sources().named_after_requirements();
        let expected = [
            ("6.2.4", "a/b.rs::asvs_6_2_4_plain"),
            ("16.4.3", "scripts/test.d/1.sh::asvs_16_4_3_shipped"),
        ];
        assert_eq!(
            named,
            expected.map(|(id, test)| (id.to_owned(), test.to_owned()))
        );
        for none in ["asvs_6_2", "asvs_6_2_4", "asvs_a_b_c_d", "other_6_2_4_x"] {
            assert_eq!(requirement(none), None, "{none}");
        }
    }
}
