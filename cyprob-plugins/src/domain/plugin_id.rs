//! Plugin ids: `^[a-z][a-z0-9_-]{2,62}$`.

use std::fmt;

use serde::{Serialize, Serializer};

/// The id of a plugin; never a path, never longer than 63 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginId(Box<str>);

impl PluginId {
    /// Reads an id; `None` when it does not match the pattern.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (first, rest) = text.as_bytes().split_first()?;
        let good = first.is_ascii_lowercase()
            && (2..=62).contains(&rest.len())
            && rest
                .iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
        good.then(|| Self(text.into()))
    }

    /// The id that a file without one gets: the slug of its name.
    ///
    /// Folders and the extension are dropped, letters lowered, everything else
    /// becomes one hyphen; a slug too short or beginning with no letter gets
    /// the prefix `plugin-`.
    #[must_use]
    pub fn from_file_name(name: &str) -> Self {
        let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let stem = match base.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => base,
        };
        let mut slug = String::new();
        for c in stem.chars().take(256) {
            let c = c.to_ascii_lowercase();
            if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        let mut slug = slug.trim_end_matches('-').to_owned();
        if slug.len() < 3 || !slug.starts_with(|c: char| c.is_ascii_lowercase()) {
            slug = format!("plugin-{slug}").trim_end_matches('-').to_owned();
        }
        slug.truncate(63);
        Self(slug.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PluginId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_holds_at_its_edges() {
        for good in ["abc", "a-_", "a23", &format!("a{}", "b".repeat(62))] {
            assert!(PluginId::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "Abc",
            "1bc",
            "-bc",
            "a.c",
            "aé9",
            "a/b",
            "abc\n",
            &"a".repeat(64),
        ] {
            assert!(PluginId::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn every_file_name_gives_a_valid_id() {
        for (name, id) in [
            ("ssh-weak-mac.yaml", "ssh-weak-mac"),
            ("a/b/SSH Weak.MAC.yml", "ssh-weak-mac"),
            ("..", "plugin"),
            (".yaml", "yaml"),
            ("9lives.json", "plugin-9lives"),
            ("é.yaml", "plugin"),
            ("x.yaml", "plugin-x"),
        ] {
            let got = PluginId::from_file_name(name);
            assert_eq!(got.as_str(), id, "{name}");
            assert!(PluginId::parse(got.as_str()).is_some(), "{name}");
        }
        assert!(PluginId::parse(PluginId::from_file_name(&"é/a".repeat(500)).as_str()).is_some());
    }
}
