//! A guarded reader of documents that come from outside.
//!
//! What is read becomes a small tree with a place for every value. Size, depth
//! and number are bounded while it is read; anchors, aliases, merge keys, tags
//! of other schemas, second documents and repeated keys are refused.

mod events;
mod tree;
mod yaml;

use crate::domain::Position;

pub use tree::{Builder, CoreTag, KeyKind, Kind, Node, Typing, is_null};
pub use yaml::read_yaml;

/// How much a document may cost before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Deepest nesting of lists and maps.
    pub depth: usize,
    /// Most scalars, lists and maps together.
    pub nodes: usize,
    /// Longest single scalar in bytes.
    pub scalar_bytes: usize,
    /// Most lines that begin with `%` (directives are searched linearly).
    pub directives: usize,
}

/// A document is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct DocumentError {
    /// Which rule refused it.
    pub fault: Fault,
    /// Where.
    pub at: Position,
    /// What is wrong and what to do; what it shows of the text is shortened and escaped.
    pub message: String,
}

impl DocumentError {
    pub(crate) fn new(fault: Fault, at: Position, message: impl Into<String>) -> Self {
        Self {
            fault,
            at,
            message: message.into(),
        }
    }
}

/// The rules by which documents are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Longer than allowed.
    TooLarge,
    /// Not UTF-8.
    NotUtf8,
    /// A NUL character.
    Nul,
    /// Not well formed.
    Syntax,
    /// No document.
    Empty,
    /// An anchor.
    Anchor,
    /// An alias.
    Alias,
    /// A merge key.
    MergeKey,
    /// A tag beyond the core schema.
    CustomTag,
    /// A second document.
    SecondDocument,
    /// Too many directive lines.
    TooManyDirectives,
    /// Too deeply nested.
    TooDeep,
    /// Too many values.
    TooManyNodes,
    /// One scalar is too long.
    ScalarTooLong,
    /// A map names the same key twice.
    DuplicateKey,
    /// A key that is no scalar.
    KeyNotScalar,
}

/// Bytes as text, if there are at most so many, they are UTF-8 and hold no NUL.
///
/// # Errors
///
/// [`DocumentError`] with the first place that is otherwise.
pub fn guarded_text(bytes: &[u8], most: usize) -> Result<&str, DocumentError> {
    let refused = |fault, offset, message: &str| {
        let at = Position::of_offset(bytes, offset);
        Err(DocumentError::new(fault, at, message))
    };
    if bytes.len() > most {
        let message = format!("longer than {most} bytes; split the file");
        return refused(Fault::TooLarge, most, &message);
    }
    if let Some(offset) = bytes.iter().position(|b| *b == 0) {
        return refused(Fault::Nul, offset, "the file holds a NUL byte");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let message = "the file is not UTF-8 from here on";
            refused(Fault::NotUtf8, error.valid_up_to(), message)
        }
    }
}
