//! Which plugins can match a fact set at all: an index over trigger keys.
//!
//! Most plugins ask for one fact first. Those whose key (and everything under
//! it) is absent say "no match" whatever else is known, so they are not run.
//! A search for literals over all rules was measured to pay only from some
//! hundred plugins on; this crate does not have it.

use std::collections::HashMap;

use crate::domain::{CompiledPlugin, FactSet};

/// The inverted index of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Index {
    by_key: HashMap<Box<str>, Vec<usize>>,
    always: Vec<usize>,
    count: usize,
}

impl Index {
    pub(crate) fn new(plugins: &[CompiledPlugin]) -> Self {
        let mut index = Self {
            count: plugins.len(),
            ..Self::default()
        };
        for (i, plugin) in plugins.iter().enumerate() {
            match plugin.required_key() {
                Some(key) => index.by_key.entry(key.into()).or_default().push(i),
                None => index.always.push(i),
            }
        }
        index
    }

    /// For each plugin, whether it must be run on these facts.
    pub(crate) fn candidates(&self, facts: &FactSet) -> Vec<bool> {
        let mut run = vec![false; self.count];
        let mut mark = |plugins: &[usize]| {
            for i in plugins {
                if let Some(slot) = run.get_mut(*i) {
                    *slot = true;
                }
            }
        };
        mark(&self.always);
        for key in facts.keys() {
            // The key itself and everything it lies under. Keys have at most
            // 256 bytes, so this is short.
            let mut prefix = key;
            loop {
                if let Some(plugins) = self.by_key.get(prefix) {
                    mark(plugins);
                }
                match prefix.rfind('.') {
                    Some(dot) => prefix = prefix.get(..dot).unwrap_or_default(),
                    None => break,
                }
            }
        }
        run
    }
}
