//! A small document tree with a place for every value.

use std::collections::HashSet;

use crate::domain::{Code, Diagnostic, Limits, MapKey, Position, Value, ValueMap};

use super::yaml::scalar;

/// One value of a document.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// A scalar: its text, and how it gets its type.
    Scalar(Box<str>, Typing),
    List(Vec<Node>),
    /// Entries in order; keys are unique scalars.
    Map(Vec<(Node, Node)>),
}

/// How a scalar's type is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typing {
    /// By its text, as yaml.v3 does.
    Plain,
    /// It is a text.
    Text,
    /// A JSON number.
    JsonNumber,
    /// By its text, and it must come out as this tag of the core schema.
    Tagged(scalar::CoreTag),
}

impl Node {
    /// The typed value of a scalar, a list or a map.
    pub(crate) fn value(&self) -> Result<Value, Diagnostic> {
        Ok(match &self.kind {
            Kind::Scalar(text, Typing::Text) => Value::String(text.clone()),
            Kind::Scalar(text, Typing::Plain) => scalar::resolve(text),
            Kind::Scalar(text, Typing::JsonNumber) => scalar::json_number(text),
            Kind::Scalar(text, Typing::Tagged(tag)) => scalar::resolve_tagged(text, *tag)
                .ok_or_else(|| {
                    Diagnostic::new(Code::WrongType, self.at, "the value does not fit its tag")
                })?,
            Kind::List(items) => {
                Value::List(items.iter().map(Self::value).collect::<Result<_, _>>()?)
            }
            Kind::Map(entries) => Value::Map(ValueMap::new(
                entries
                    .iter()
                    .map(|(key, value)| {
                        let key_value = MapKey::of(key.value()?).ok_or_else(|| {
                            Diagnostic::new(Code::WrongType, key.at, "a key must be a scalar")
                        })?;
                        Ok((key_value, value.value()?))
                    })
                    .collect::<Result<_, Diagnostic>>()?,
            )),
        })
    }

    /// The text of a scalar as written; `None` for null, a list or a map.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text, Typing::Text | Typing::JsonNumber) => Some(text),
            Kind::Scalar(text, _) if !scalar::is_null(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(text, Typing::Plain | Typing::Tagged(_)) if scalar::is_null(text))
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Scalar(..) => self.value().map_or("a scalar", |v| v.type_name()),
        }
    }
}

/// Builds a tree from events, and keeps every limit while it does.
pub(crate) struct Builder<'a> {
    limits: &'a Limits,
    nodes: usize,
    stack: Vec<Open>,
    root: Option<Node>,
}

enum Open {
    List(Position, Vec<Node>),
    Map {
        at: Position,
        entries: Vec<(Node, Node)>,
        key: Option<Node>,
        seen: HashSet<(u8, Box<str>)>,
    },
}

impl<'a> Builder<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            nodes: 0,
            stack: Vec::new(),
            root: None,
        }
    }

    fn count(&mut self, at: Position) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(Diagnostic::new(
                Code::TooManyNodes,
                at,
                format!("more than {} values; split the file", self.limits.nodes),
            ));
        }
        Ok(())
    }

    pub(crate) fn scalar(
        &mut self,
        at: Position,
        text: &str,
        typing: Typing,
    ) -> Result<(), Diagnostic> {
        self.count(at)?;
        if text.len() > self.limits.scalar_bytes {
            return Err(Diagnostic::new(
                Code::ScalarTooLong,
                at,
                format!(
                    "a value of {} bytes; at most {} are allowed",
                    text.len(),
                    self.limits.scalar_bytes
                ),
            ));
        }
        if text.contains('\0') {
            return Err(Diagnostic::new(
                Code::Nul,
                at,
                "a value holds a NUL character",
            ));
        }
        if let Some(Open::Map {
            key: None, seen, ..
        }) = self.stack.last_mut()
        {
            if typing == Typing::Plain && text == "<<" {
                return Err(Diagnostic::new(
                    Code::MergeKey,
                    at,
                    "merge keys are not allowed; write the keys out",
                ));
            }
            let rank = match typing {
                Typing::Text | Typing::JsonNumber => b's',
                _ => match scalar::resolve(text) {
                    Value::Null => b'n',
                    Value::Bool(_) => b'b',
                    Value::String(_) => b's',
                    _ => b'#',
                },
            };
            if !seen.insert((rank, text.into())) {
                let shown = crate::domain::excerpt(text);
                return Err(Diagnostic::new(
                    Code::DuplicateKey,
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

    pub(crate) fn open(&mut self, at: Position, map: bool) -> Result<(), Diagnostic> {
        self.count(at)?;
        if self.stack.len() >= self.limits.depth {
            return Err(Diagnostic::new(
                Code::TooDeep,
                at,
                format!("nested deeper than {} levels", self.limits.depth),
            ));
        }
        if let Some(Open::Map { key: None, .. }) = self.stack.last() {
            return Err(Diagnostic::new(
                Code::WrongType,
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

    pub(crate) fn close(&mut self) -> Result<(), Diagnostic> {
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
                return Err(Diagnostic::new(
                    Code::Syntax,
                    Position::START,
                    "unbalanced document",
                ));
            }
        };
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Result<(), Diagnostic> {
        match self.stack.last_mut() {
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                None => *key = Some(node),
                Some(name) => entries.push((name, node)),
            },
            None if self.root.is_some() => {
                return Err(Diagnostic::new(
                    Code::SecondDocument,
                    node.at,
                    "one file holds one document",
                ));
            }
            None => self.root = Some(node),
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Option<Node> {
        self.root
    }
}
