//! What is known about one target and port.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde::Serialize;

use super::Value;

/// Longest fact key, in bytes.
pub const MAX_KEY_CHARS: usize = 256;

/// Longest target, in bytes.
const MAX_TARGET: usize = 512;

/// The facts of one (target, port); keys are flat and dotted.
///
/// Serializes as `{"target", "port", "facts": {...}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct FactSet {
    target: Box<str>,
    port: Option<u16>,
    facts: BTreeMap<Box<str>, Value>,
}

/// Why a fact set was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FactError {
    /// The key is empty, longer than [`MAX_KEY_CHARS`] or holds a control character.
    #[error("a fact key must have 1 to 256 bytes and no control characters")]
    Key,
    /// The target is longer than 512 bytes or holds a control character.
    #[error("a target must have at most 512 bytes and no control characters")]
    Target,
}

impl FactSet {
    /// An empty set about this target and port.
    ///
    /// # Errors
    ///
    /// [`FactError::Target`] when the target is too long or not printable.
    pub fn new(target: &str, port: Option<u16>) -> Result<Self, FactError> {
        if target.len() > MAX_TARGET || target.chars().any(char::is_control) {
            return Err(FactError::Target);
        }
        Ok(Self {
            target: target.into(),
            port,
            facts: BTreeMap::new(),
        })
    }

    /// Adds a fact; the same key again replaces it.
    ///
    /// # Errors
    ///
    /// [`FactError::Key`] when the key is empty, too long or not printable.
    pub fn insert(&mut self, key: &str, value: Value) -> Result<(), FactError> {
        if key.is_empty() || key.len() > MAX_KEY_CHARS || key.chars().any(char::is_control) {
            return Err(FactError::Key);
        }
        self.facts.insert(key.into(), value);
        Ok(())
    }

    /// The target's name or address; empty when the input named none.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The port, when the facts are about one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The fact of exactly this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.facts.get(key)
    }

    /// Whether this key or any `key.*` is there.
    #[must_use]
    pub fn has_under(&self, key: &str) -> bool {
        if self.facts.contains_key(key) {
            return true;
        }
        let prefix = format!("{key}.");
        self.facts
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .next()
            .is_some_and(|(found, _)| found.starts_with(&prefix))
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.facts.keys().map(|k| &**k)
    }

    /// The facts, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.facts.iter().map(|(k, v)| (&**k, v))
    }

    /// How many facts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_covers_what_lies_under_a_key() {
        let mut facts = FactSet::new("h", Some(80)).unwrap();
        facts
            .insert("http.headers.server", Value::text("x"))
            .unwrap();
        facts.insert("http.headersx", Value::Null).unwrap();
        assert!(facts.has_under("http.headers") && facts.has_under("http"));
        assert!(facts.has_under("http.headersx"));
        assert!(!facts.has_under("http.header") && !facts.has_under("htt"));
    }

    #[test]
    fn keys_and_targets_are_bounded() {
        let mut facts = FactSet::new("h", None).unwrap();
        for bad in ["", "a\nb", &"k".repeat(257)] {
            assert_eq!(facts.insert(bad, Value::Null), Err(FactError::Key));
        }
        assert!(FactSet::new(&"h".repeat(513), None).is_err());
        assert!(FactSet::new("a\u{1b}", None).is_err());
    }
}
