//! Why a text is no secret reference.

use std::fmt;

/// A text that is no secret reference: which part is wrong, and how.
///
/// It never repeats any of the text, which may be a secret pasted by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secret reference: {part}: {fault}")]
pub struct SecretRefError {
    part: RefPart,
    fault: RefFault,
}

impl SecretRefError {
    pub(crate) const fn new(part: RefPart, fault: RefFault) -> Self {
        Self { part, fault }
    }

    /// The part that is wrong.
    #[must_use]
    pub const fn part(&self) -> RefPart {
        self.part
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn fault(&self) -> RefFault {
        self.fault
    }
}

/// A part of a secret reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefPart {
    /// The whole text.
    Reference,
    /// What stands before `://`.
    Scheme,
    /// Vault's mount, the first segment.
    Mount,
    /// A namespace of Vault.
    Namespace,
    /// The path below the mount, or of a file.
    Path,
    /// The name of a secret or of a variable.
    Name,
    /// What stands behind `#`.
    Field,
    /// What stands behind `?`.
    Parameters,
    /// The value of `version`.
    Version,
    /// The value of `stage`.
    Stage,
}

impl fmt::Display for RefPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference => "the whole",
            Self::Scheme => "scheme",
            Self::Mount => "mount",
            Self::Namespace => "namespace",
            Self::Path => "path",
            Self::Name => "name",
            Self::Field => "field behind `#`",
            Self::Parameters => "parameters behind `?`",
            Self::Version => "version",
            Self::Stage => "stage",
        })
    }
}

/// What is wrong with a part; its text says what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefFault {
    /// Longer than its bound.
    #[error("too long; at most {max} bytes")]
    TooLong {
        /// The bound in bytes.
        max: usize,
    },
    /// A character outside ASCII.
    #[error("not ASCII; write ASCII only")]
    NotAscii,
    /// A percent sign.
    #[error("percent-encoding is never decoded; write the characters themselves")]
    PercentEncoded,
    /// A character that the part may not have.
    #[error("a character it may not have; see the grammar of the scheme")]
    BadCharacter,
    /// A first character that the part may not begin with.
    #[error("begins with a character it may not begin with")]
    BadStart,
    /// Nothing, where something is required.
    #[error("missing; write it")]
    Missing,
    /// Something, where the scheme has nothing.
    #[error("this scheme has none; leave it out")]
    Unexpected,
    /// No scheme of ours.
    #[error("unknown; write vault, awssm, file, env or local in lower case, then `://`")]
    UnknownScheme,
    /// A leading, trailing or double slash.
    #[error("an empty segment; write single slashes, none at either end")]
    EmptySegment,
    /// A segment `.` or `..`.
    #[error("a segment `.` or `..`; write the path without them")]
    DotSegment,
    /// A file path that is relative or names a host.
    #[error("not absolute; write three slashes, as in file:///etc/cyprob/key")]
    NotAbsolute,
    /// A `#` behind the `?`.
    #[error("the field comes first; write #field?parameter=value")]
    FieldAfterParameters,
    /// A parameter that the scheme does not have, or a second one.
    #[error("unknown, a second one or without `=`; write at most one that the scheme has")]
    BadParameter,
    /// A version that is not a number from 1 without leading zero.
    #[error("not a version; write a number from 1 up without leading zero")]
    NotAVersion,
}
