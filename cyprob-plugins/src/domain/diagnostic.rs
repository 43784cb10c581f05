//! What the reader says about a file: code, severity, place, sentence.

use std::fmt;

use cyprob_core::domain::Position;
use serde::{Serialize, Serializer};

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A repair or a remark; the plugin loads.
    Info,
    /// Probably not what the author meant; the plugin loads.
    Warning,
    /// The plugin does not load in fixed mode.
    Error,
}

impl Level {
    /// The word used in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One remark about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable code, see [`Code`].
    pub code: Code,
    /// How grave it is.
    pub severity: Level,
    /// Line, from one.
    pub line: usize,
    /// Column in characters, from one.
    pub column: usize,
    /// A sentence for people; file content in it is shortened and escaped.
    pub message: String,
}

impl Diagnostic {
    /// A diagnostic with the code's own level.
    #[must_use]
    pub fn new(code: Code, at: Position, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.level(),
            line: at.line,
            column: at.column,
            message: message.into(),
        }
    }

    /// The place as one value.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            line: self.line,
            column: self.column,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{} {} {}",
            self.line, self.column, self.code, self.message
        )
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $level:ident;)*) => {
        /// Stable names of all diagnostics.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All codes, in the order of this list.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable text, in kebab case.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// How grave a diagnostic of this code is.
            #[must_use]
            pub fn level(self) -> Level {
                match self { $(Self::$name => Level::$level),* }
            }
        }
    };
}

codes! {
    /// The file is longer than allowed.
    TooLarge = "too-large", Error;
    /// The file is not UTF-8.
    NotUtf8 = "not-utf8", Error;
    /// The file holds a NUL character.
    Nul = "nul", Error;
    /// The file begins with a byte order mark, which is skipped.
    ByteOrderMark = "byte-order-mark", Info;
    /// The file is not well formed.
    Syntax = "syntax", Error;
    /// The file holds no document.
    Empty = "empty", Error;
    /// The file holds an anchor.
    Anchor = "anchor", Error;
    /// The file holds an alias.
    Alias = "alias", Error;
    /// The file holds a merge key.
    MergeKey = "merge-key", Error;
    /// The file holds a tag beyond the core schema.
    CustomTag = "custom-tag", Error;
    /// The file holds a second document.
    SecondDocument = "second-document", Error;
    /// The file has too many directive lines.
    TooManyDirectives = "too-many-directives", Error;
    /// The file nests too deeply.
    TooDeep = "too-deep", Error;
    /// The file holds too many values.
    TooManyNodes = "too-many-nodes", Error;
    /// One scalar is too long.
    ScalarTooLong = "scalar-too-long", Error;
    /// A map names the same key twice.
    DuplicateKey = "duplicate-key", Error;
    /// A value has a type that does not belong there.
    WrongType = "wrong-type", Error;
    /// A required field is missing.
    MissingField = "missing-field", Error;
    /// A field that should be there is missing; a default is taken.
    DefaultTaken = "default-taken", Warning;
    /// A key that this format does not know; it has no effect.
    UnknownKey = "unknown-key", Warning;
    /// A rule operator that does not exist.
    UnknownOperator = "unknown-operator", Error;
    /// A trigger condition that does not exist.
    UnknownCondition = "unknown-condition", Error;
    /// A logic other than AND, OR, NOT.
    UnknownLogic = "unknown-logic", Error;
    /// A severity other than critical, high, medium, low, info.
    UnknownSeverity = "unknown-severity", Error;
    /// A plugin type other than evaluation, output, integration.
    UnknownType = "unknown-type", Error;
    /// An id that does not match `^[a-z][a-z0-9_-]{2,62}$`.
    BadId = "bad-id", Error;
    /// A version that is none.
    BadVersion = "bad-version", Error;
    /// A regular expression that does not compile.
    BadPattern = "bad-pattern", Error;
    /// A regular expression that would cost too much.
    CostlyPattern = "costly-pattern", Error;
    /// A value that the operator cannot work with.
    BadValue = "bad-value", Error;
    /// A match block without rules.
    NoRules = "no-rules", Error;
    /// The plugin asks for a newer engine.
    NeedsNewerEngine = "needs-newer-engine", Error;
    /// Bounds that no value can lie between.
    EmptyRange = "empty-range", Warning;
    /// A version written as a number, which loses trailing zeros.
    VersionAsNumber = "version-as-number", Warning;
    /// The id was taken from the file name.
    IdDerived = "id-derived", Info;
    /// An operator or condition in another spelling was understood.
    OperatorAlias = "operator-alias", Info;
    /// `exists` without a value was read as `true`.
    ExistsDefault = "exists-default", Info;
    /// A `{port, service}` trigger was read as conditions on service facts.
    ServiceTrigger = "service-trigger", Info;
    /// A metadata key that has no meaning here was kept.
    UnknownMetadata = "unknown-metadata", Info;
    /// Further diagnostics were left out.
    MoreLeftOut = "more-left-out", Warning;
    /// Facts do not have the form of a fact set or of a fact map.
    BadFacts = "bad-facts", Error;
    /// An XML file with a document type beyond `<!DOCTYPE nmaprun>`.
    DocumentType = "document-type", Error;
    /// Another file of the same run has the same id.
    DuplicateId = "duplicate-id", Warning;
    /// The file could not be read.
    Unreadable = "unreadable", Error;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()));
            assert!(
                code.as_str()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'-' || b.is_ascii_digit())
            );
        }
    }
}
