//! Reading typed fields out of a document tree, with a remark for each that is
//! not as it should be.

use crate::domain::{Code, Diagnostic, Position, SeverityLabel, Value, excerpt};

use cyprob_core::adapters::document::{Kind, Node};

use super::super::node::Typed as _;

/// What has been said so far, and whether the shape was right.
pub(super) struct Reader {
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Whether a part had the wrong shape, so that no mode can read the file.
    pub(super) structural: bool,
    pub(super) limit: usize,
}

pub(super) type Entries<'a> = &'a [(Node, Node)];

impl Reader {
    pub(super) fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn add(&mut self, code: Code, at: Position, message: impl Into<String>) {
        self.say(Diagnostic::new(code, at, message));
    }

    pub(super) fn wrong(&mut self, node: &Node, what: &str, wanted: &str) {
        self.structural = true;
        self.add(
            Code::WrongType,
            node.at,
            format!("`{what}` must be {wanted}, not {}", node.type_name()),
        );
    }

    /// Sorted by place, errors kept first when there are too many.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        if self.diagnostics.len() > self.limit {
            self.diagnostics
                .sort_by_key(|d| (std::cmp::Reverse(d.severity), d.line, d.column));
            let left_out = self.diagnostics.len() - self.limit;
            self.diagnostics.truncate(self.limit);
            let last = self
                .diagnostics
                .last()
                .map_or(Position::START, Diagnostic::position);
            self.add(
                Code::MoreLeftOut,
                last,
                format!("{left_out} more were left out"),
            );
        }
        self.diagnostics.sort_by_key(|d| (d.line, d.column));
        self.diagnostics
    }

    pub(super) fn entries<'a>(&mut self, node: &'a Node, what: &str) -> Option<Entries<'a>> {
        match &node.kind {
            Kind::Map(entries) => Some(entries),
            _ if node.is_null() => None,
            _ => {
                self.wrong(node, what, "a map");
                None
            }
        }
    }

    pub(super) fn items<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Node] {
        match &node.kind {
            Kind::List(items) => items,
            _ if node.is_null() => &[],
            _ => {
                self.wrong(node, what, "a list");
                &[]
            }
        }
    }

    /// A text field; null is the same as a missing one.
    pub(super) fn text(&mut self, entries: Entries<'_>, key: &str) -> Option<String> {
        let node = get(entries, key)?;
        if node.is_null() {
            return None;
        }
        match node.text() {
            Some(text) => Some(text.to_owned()),
            None => {
                self.wrong(node, key, "a text");
                None
            }
        }
    }

    pub(super) fn value(&mut self, node: &Node) -> Option<Value> {
        node.value()
            .map_err(|d| {
                self.structural = true;
                self.say(d);
            })
            .ok()
    }

    /// One text or a list of texts.
    pub(super) fn texts(&mut self, entries: Entries<'_>, key: &str, single: bool) -> Vec<String> {
        let Some(node) = get(entries, key) else {
            return Vec::new();
        };
        if single && let Some(text) = node.text() {
            return vec![text.to_owned()];
        }
        let mut out = Vec::new();
        for item in self.items(node, key) {
            match item.text() {
                Some(text) => out.push(text.to_owned()),
                None => self.wrong(item, key, "a list of texts"),
            }
        }
        out
    }

    pub(super) fn unknown_keys(&mut self, entries: Entries<'_>, known: &[&str], block: &str) {
        for (key, _) in entries {
            let text = key.text().unwrap_or("null");
            if !known.contains(&text) {
                let shown = excerpt(text);
                self.add(
                    Code::UnknownKey,
                    key.at,
                    format!("{block} has no key {shown}; it has no effect"),
                );
            }
        }
    }

    pub(super) fn required(
        &mut self,
        entries: Entries<'_>,
        key: &str,
        code: Code,
        at: Position,
    ) -> String {
        let text = self.text(entries, key).unwrap_or_default();
        if text.is_empty() {
            let at = get(entries, key).map_or(at, |n| n.at);
            self.add(code, at, format!("`{key}` is missing"));
        }
        text
    }

    pub(super) fn severity(&mut self, entries: Entries<'_>) -> Option<SeverityLabel> {
        let text = self.text(entries, "severity").filter(|t| !t.is_empty())?;
        let label = SeverityLabel::parse(&text);
        if let SeverityLabel::AsWritten(_) = label {
            let at = get(entries, "severity").map_or(Position::START, |n| n.at);
            let shown = excerpt(&text);
            self.add(
                Code::UnknownSeverity,
                at,
                format!("unknown severity {shown}; critical, high, medium, low and info exist"),
            );
        }
        Some(label)
    }

    pub(super) fn extra(
        &mut self,
        entries: Entries<'_>,
        known: &[&str],
        say: bool,
    ) -> Vec<(String, Value)> {
        let mut out = Vec::new();
        for (key, node) in entries {
            let name = key.text().unwrap_or("null");
            if known.contains(&name) {
                continue;
            }
            if say {
                self.add(
                    Code::UnknownMetadata,
                    key.at,
                    format!("the metadata key {} was kept", excerpt(name)),
                );
            }
            if let Some(value) = self.value(node) {
                out.push((name.to_owned(), value));
            }
        }
        out
    }
}

/// The value of a key.
pub(super) fn get<'a>(entries: Entries<'a>, key: &str) -> Option<&'a Node> {
    entries
        .iter()
        .find(|(k, _)| k.text() == Some(key))
        .map(|(_, v)| v)
}
