//! The document tree as this crate reads it: typed values, and diagnostics of its faults.

use cyprob_core::adapters::document::{self, DocumentError, Fault, KeyKind, Kind, Node, Typing};

use crate::domain::{Code, Diagnostic, Limits, MapKey, Value, ValueMap};

use super::scalar;

/// Reads one YAML document; the first broken limit or rule ends it.
pub(crate) fn read_yaml(text: &str, limits: &Limits) -> Result<Node, Diagnostic> {
    let node = document::read_yaml(text, &of_document(limits), key_kind)?;
    Ok(node)
}

/// The limits that hold for any document.
pub(crate) fn of_document(limits: &Limits) -> document::Limits {
    document::Limits {
        depth: limits.depth,
        nodes: limits.nodes,
        scalar_bytes: limits.scalar_bytes,
        directives: limits.directives,
    }
}

/// What a plain key reads as.
pub(crate) fn key_kind(text: &str) -> KeyKind {
    match scalar::resolve(text) {
        Value::Null => KeyKind::Null,
        Value::Bool(_) => KeyKind::Bool,
        Value::String(_) => KeyKind::Text,
        _ => KeyKind::Number,
    }
}

/// What a node of a document comes to.
pub(crate) trait Typed {
    /// The typed value of a scalar, a list or a map.
    fn value(&self) -> Result<Value, Diagnostic>;

    /// The name of its type, with an article.
    fn type_name(&self) -> &'static str;
}

impl Typed for Node {
    fn value(&self) -> Result<Value, Diagnostic> {
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

    fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Scalar(..) => self.value().map_or("a scalar", |v| v.type_name()),
        }
    }
}

impl From<DocumentError> for Diagnostic {
    fn from(error: DocumentError) -> Self {
        let code = match error.fault {
            Fault::TooLarge => Code::TooLarge,
            Fault::NotUtf8 => Code::NotUtf8,
            Fault::Nul => Code::Nul,
            Fault::Syntax => Code::Syntax,
            Fault::Empty => Code::Empty,
            Fault::Anchor => Code::Anchor,
            Fault::Alias => Code::Alias,
            Fault::MergeKey => Code::MergeKey,
            Fault::CustomTag => Code::CustomTag,
            Fault::SecondDocument => Code::SecondDocument,
            Fault::TooManyDirectives => Code::TooManyDirectives,
            Fault::TooDeep => Code::TooDeep,
            Fault::TooManyNodes => Code::TooManyNodes,
            Fault::ScalarTooLong => Code::ScalarTooLong,
            Fault::DuplicateKey => Code::DuplicateKey,
            Fault::KeyNotScalar => Code::WrongType,
        };
        Self::new(code, error.at, error.message)
    }
}

#[cfg(test)]
mod tests;
