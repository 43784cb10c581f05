//! Fields of a document, with a fault for each that is not as it should be.

use std::str::FromStr;

use cyprob_core::adapters::document::{Kind, Node};
use cyprob_core::domain::{Position, excerpt};

use crate::domain::policy::{Fault, FaultKind};

/// What has been found wrong so far.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) faults: Vec<Fault>,
}

/// The fields of a map, none of them unknown.
pub(super) struct Fields<'a> {
    at: Position,
    entries: &'a [(Node, Node)],
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        let mut entries = self.entries.iter();
        let found = entries.find(|(name, _)| name.text() == Some(key));
        found.map(|(_, value)| value)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

pub(super) fn text_fault(at: Position, sentence: impl Into<String>) -> Fault {
    let kind = FaultKind::Text(sentence.into());
    Fault { at, kind }
}

impl Reader {
    pub(super) fn say(&mut self, at: Position, sentence: impl Into<String>) {
        self.faults.push(text_fault(at, sentence));
    }

    /// A map with these keys at most.
    pub(super) fn map<'a>(
        &mut self,
        node: &'a Node,
        what: &str,
        keys: &[&str],
    ) -> Option<Fields<'a>> {
        let known = keys.join("`, `");
        let Kind::Map(entries) = &node.kind else {
            self.say(node.at, format!("{what} is a map with `{known}`"));
            return None;
        };
        for (key, _) in entries {
            let name = key.text().unwrap_or_default();
            if !keys.contains(&name) {
                let name = excerpt(name);
                self.say(key.at, format!("unknown key {name}; {what} has `{known}`"));
            }
        }
        let at = node.at;
        Some(Fields { at, entries })
    }

    /// A field that must be there.
    pub(super) fn wanted<'a>(&mut self, fields: &Fields<'a>, key: &str) -> Option<&'a Node> {
        let found = fields.get(key);
        if found.is_none() {
            self.say(fields.at, format!("`{key}` is missing"));
        }
        found
    }

    /// The entries of a map whose keys are names.
    pub(super) fn entries<'a>(&mut self, node: &'a Node, what: &str) -> &'a [(Node, Node)] {
        match &node.kind {
            Kind::Map(entries) if !entries.is_empty() => entries,
            _ => {
                self.say(node.at, format!("`{what}` is a map of names, at least one"));
                &[]
            }
        }
    }

    /// The items of a list that is not empty.
    pub(super) fn items<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Node] {
        match &node.kind {
            Kind::List(items) if !items.is_empty() => items,
            _ => {
                self.say(node.at, format!("`{what}` is a list, of one item at least"));
                &[]
            }
        }
    }

    pub(super) fn text<'a>(&mut self, node: &'a Node, wanted: &str) -> Option<&'a str> {
        let text = node.text();
        if text.is_none() {
            self.say(node.at, format!("write {wanted}"));
        }
        text
    }

    pub(super) fn parsed<T: FromStr>(&mut self, node: &Node, wanted: &str) -> Option<T> {
        let text = self.text(node, wanted)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            let shown = excerpt(text);
            self.say(node.at, format!("{shown} is not {wanted}"));
        }
        parsed
    }
}
