//! The rules that all references share.

use super::{RefFault, RefPart, SecretRefError};

type Parsed<T> = Result<T, SecretRefError>;

/// A reference behind its scheme, cut at `#` and `?`.
pub(super) struct Pieces<'a> {
    pub(super) path: &'a str,
    pub(super) field: Option<&'a str>,
    pub(super) parameters: Option<&'a str>,
}

impl<'a> Pieces<'a> {
    pub(super) fn cut(rest: &'a str) -> Parsed<Self> {
        let (before, parameters) = match rest.split_once('?') {
            Some((before, after)) => (before, Some(after)),
            None => (rest, None),
        };
        if parameters.is_some_and(|p| p.contains('#')) {
            return Err(SecretRefError::new(
                RefPart::Parameters,
                RefFault::FieldAfterParameters,
            ));
        }
        let (path, field) = match before.split_once('#') {
            Some((path, field)) => (path, Some(field)),
            None => (before, None),
        };
        Ok(Self {
            path,
            field,
            parameters,
        })
    }

    pub(super) fn without_field(self) -> Parsed<Self> {
        match self.field {
            None => Ok(self),
            Some(_) => Err(SecretRefError::new(RefPart::Field, RefFault::Unexpected)),
        }
    }

    pub(super) fn without_parameters(self) -> Parsed<Self> {
        match self.parameters {
            None => Ok(self),
            Some(_) => Err(SecretRefError::new(
                RefPart::Parameters,
                RefFault::Unexpected,
            )),
        }
    }

    /// The value of the one parameter the scheme has, if it is written.
    pub(super) fn parameter(&self, key: &'static str) -> Parsed<Option<&'a str>> {
        let written = self.parameter_of([key])?;
        Ok(written.map(|(_, value)| value))
    }

    /// The parameter that is written, and its value; at most one of those that the scheme has.
    pub(super) fn parameter_of<const N: usize>(
        &self,
        keys: [&'static str; N],
    ) -> Parsed<Option<(&'static str, &'a str)>> {
        let Some(text) = self.parameters else {
            return Ok(None);
        };
        let written = text.split_once('=').and_then(|(name, value)| {
            let key = keys.into_iter().find(|key| *key == name)?;
            (!value.contains(['&', '='])).then_some((key, value))
        });
        match written {
            Some(written) => Ok(Some(written)),
            None => Err(SecretRefError::new(
                RefPart::Parameters,
                RefFault::BadParameter,
            )),
        }
    }
}

/// Refuses what no part may have: too many bytes, other than ASCII, `%`.
pub(crate) fn check_text(part: RefPart, text: &str, max: usize) -> Parsed<()> {
    let fault = if text.len() > max {
        RefFault::TooLong { max }
    } else if !text.is_ascii() {
        RefFault::NotAscii
    } else if text.contains('%') {
        RefFault::PercentEncoded
    } else {
        return Ok(());
    };
    Err(SecretRefError::new(part, fault))
}

/// Checks one word: 1 to 255 of the allowed characters, not `.` or `..`.
pub(crate) fn word(part: RefPart, text: &str, allowed: fn(u8) -> bool) -> Parsed<&str> {
    let fault = if text.is_empty() {
        RefFault::Missing
    } else if matches!(text, "." | "..") {
        RefFault::DotSegment
    } else if text.len() > 255 {
        RefFault::TooLong { max: 255 }
    } else if !text.bytes().all(allowed) {
        RefFault::BadCharacter
    } else {
        return Ok(text);
    };
    Err(SecretRefError::new(part, fault))
}

/// Checks words joined by single slashes.
pub(crate) fn segments(part: RefPart, text: &str, allowed: fn(u8) -> bool) -> Parsed<&str> {
    if text.is_empty() {
        return Err(SecretRefError::new(part, RefFault::Missing));
    }
    for segment in text.split('/') {
        if segment.is_empty() {
            return Err(SecretRefError::new(part, RefFault::EmptySegment));
        }
        word(part, segment, allowed)?;
    }
    Ok(text)
}

/// Letters, digits and `. _ -`.
pub(crate) fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}
