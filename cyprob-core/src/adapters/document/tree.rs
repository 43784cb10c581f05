//! A small document tree with a place for every value.

use std::collections::HashSet;

use super::{DocumentError, Fault, Limits};
use crate::domain::{Position, excerpt};

/// One value of a document.
#[derive(Debug)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub enum Kind {
    /// A scalar: its text, and how it gets its type.
    Scalar(Box<str>, Typing),
    /// A list.
    List(Vec<Node>),
    /// Entries in order; keys are unique scalars.
    Map(Vec<(Node, Node)>),
}

/// How a scalar's type is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// By its text.
    Plain,
    /// It is a text.
    Text,
    /// A JSON number.
    JsonNumber,
    /// By its text, and it must come out as this tag of the core schema.
    Tagged(CoreTag),
}

/// The tags of YAML's core schema that may be written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoreTag {
    /// `!!str`
    Text,
    /// `!!null`
    Null,
    /// `!!bool`
    Bool,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!timestamp`
    Time,
}

impl CoreTag {
    const PREFIX: &'static str = "tag:yaml.org,2002:";

    pub(super) fn scalar(tag: &str) -> Option<Self> {
        Some(match tag.strip_prefix(Self::PREFIX)? {
            "str" => Self::Text,
            "null" => Self::Null,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "timestamp" => Self::Time,
            _ => return None,
        })
    }

    pub(super) fn is_collection(tag: &str, map: bool) -> bool {
        tag.strip_prefix(Self::PREFIX) == Some(if map { "map" } else { "seq" })
    }
}

/// What a plain key reads as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Null.
    Null,
    /// True or false.
    Bool,
    /// A number or a time.
    Number,
    /// A text.
    Text,
}

/// Whether a plain scalar is null.
#[must_use]
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

impl Node {
    /// The text of a scalar as written; none for null, a list or a map.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text, Typing::Text | Typing::JsonNumber) => Some(text),
            Kind::Scalar(text, _) if !is_null(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(text, Typing::Plain | Typing::Tagged(_)) if is_null(text))
    }
}

/// Builds a tree from events, and keeps every limit while it does.
#[derive(Debug)]
pub struct Builder {
    limits: Limits,
    key_kind: fn(&str) -> KeyKind,
    nodes: usize,
    stack: Vec<Open>,
    root: Option<Node>,
}

#[derive(Debug)]
enum Open {
    List(Position, Vec<Node>),
    Map {
        at: Position,
        entries: Vec<(Node, Node)>,
        key: Option<Node>,
        seen: HashSet<(KeyKind, Box<str>)>,
    },
}

impl Builder {
    /// An empty tree; `key_kind` says what a plain key reads as.
    #[must_use]
    pub const fn new(limits: Limits, key_kind: fn(&str) -> KeyKind) -> Self {
        Self {
            limits,
            key_kind,
            nodes: 0,
            stack: Vec::new(),
            root: None,
        }
    }

    fn count(&mut self, at: Position) -> Result<(), DocumentError> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(DocumentError::new(
                Fault::TooManyNodes,
                at,
                format!("more than {} values; split the file", self.limits.nodes),
            ));
        }
        Ok(())
    }

    /// Adds a scalar.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] past a limit, or by a rule.
    pub fn scalar(
        &mut self,
        at: Position,
        text: &str,
        typing: Typing,
    ) -> Result<(), DocumentError> {
        self.count(at)?;
        if text.len() > self.limits.scalar_bytes {
            return Err(DocumentError::new(
                Fault::ScalarTooLong,
                at,
                format!(
                    "a value of {} bytes; at most {} are allowed",
                    text.len(),
                    self.limits.scalar_bytes
                ),
            ));
        }
        if text.contains('\0') {
            return Err(DocumentError::new(
                Fault::Nul,
                at,
                "a value holds a NUL character",
            ));
        }
        if let Some(Open::Map {
            key: None, seen, ..
        }) = self.stack.last_mut()
        {
            if typing == Typing::Plain && text == "<<" {
                return Err(DocumentError::new(
                    Fault::MergeKey,
                    at,
                    "merge keys are not allowed; write the keys out",
                ));
            }
            let kind = match typing {
                Typing::Text | Typing::JsonNumber => KeyKind::Text,
                Typing::Plain | Typing::Tagged(_) => (self.key_kind)(text),
            };
            if !seen.insert((kind, text.into())) {
                let shown = excerpt(text);
                return Err(DocumentError::new(
                    Fault::DuplicateKey,
                    at,
                    format!("the key {shown} is here a second time"),
                ));
            }
        }
        self.add(Node {
            at,
            kind: Kind::Scalar(text.into(), typing),
        })
    }

    /// Begins a list or a map.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] past a limit, or by a rule.
    pub fn open(&mut self, at: Position, map: bool) -> Result<(), DocumentError> {
        self.count(at)?;
        if self.stack.len() >= self.limits.depth {
            return Err(DocumentError::new(
                Fault::TooDeep,
                at,
                format!("nested deeper than {} levels", self.limits.depth),
            ));
        }
        if let Some(Open::Map { key: None, .. }) = self.stack.last() {
            return Err(DocumentError::new(
                Fault::KeyNotScalar,
                at,
                "a key must be a scalar",
            ));
        }
        self.stack.push(if map {
            Open::Map {
                at,
                entries: Vec::new(),
                key: None,
                seen: HashSet::new(),
            }
        } else {
            Open::List(at, Vec::new())
        });
        Ok(())
    }

    /// Ends the one that was begun last.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] past a limit, or by a rule.
    pub fn close(&mut self) -> Result<(), DocumentError> {
        let node = match self.stack.pop() {
            Some(Open::List(at, items)) => Node {
                at,
                kind: Kind::List(items),
            },
            Some(Open::Map { at, entries, .. }) => Node {
                at,
                kind: Kind::Map(entries),
            },
            None => {
                return Err(DocumentError::new(
                    Fault::Syntax,
                    Position::START,
                    "unbalanced document",
                ));
            }
        };
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Result<(), DocumentError> {
        match self.stack.last_mut() {
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                None => *key = Some(node),
                Some(name) => entries.push((name, node)),
            },
            None if self.root.is_some() => {
                return Err(DocumentError::new(
                    Fault::SecondDocument,
                    node.at,
                    "one file holds one document",
                ));
            }
            None => self.root = Some(node),
        }
        Ok(())
    }

    /// The document; none if nothing was added.
    #[must_use]
    pub fn finish(self) -> Option<Node> {
        self.root
    }
}
